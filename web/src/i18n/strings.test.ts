import { expect, test } from "vitest";

const files = import.meta.glob<Record<string, string>>("../**/{en,ru}.json", {
  eager: true,
  import: "default",
});
const PLURAL = /_(one|few|many|other)$/;

function keys(words: Record<string, string>): string[] {
  return [...new Set(Object.keys(words).map((key) => key.replace(PLURAL, "")))].sort();
}

function places(text: string): string[] {
  return [...text.matchAll(/\{\{\s*(\w+)/g)].map((found) => found[1] ?? "").sort();
}

const folders = [
  ...new Set(Object.keys(files).map((path) => path.replace(/\/(en|ru)\.json$/, ""))),
];

test.each(folders)("%s says the same things in both languages", (folder) => {
  const en = files[`${folder}/en.json`];
  const ru = files[`${folder}/ru.json`];
  expect(en && keys(en)).toEqual(ru && keys(ru));
  for (const [key, text] of Object.entries(en ?? {})) {
    const other = ru?.[key];
    if (other !== undefined) expect(places(other), key).toEqual(places(text));
    expect(text.trim(), key).not.toBe("");
  }
});

test.each(folders)("%s has all plural forms that Russian wants", (folder) => {
  const ru = Object.keys(files[`${folder}/ru.json`] ?? {});
  for (const key of ru.filter((one) => one.endsWith("_one"))) {
    const name = key.replace(PLURAL, "");
    expect(ru).toEqual(expect.arrayContaining([`${name}_few`, `${name}_many`]));
  }
});
