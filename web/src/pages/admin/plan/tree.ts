/**
 * A plan as a tree (the plan file's keys), and a draft of another: pure.
 *
 * A tree is never changed; each edit gives a new one that shares what stayed. What has its default
 * is left out, so setting `undefined` takes a key away.
 */

export type Value = string | number | boolean | null | Value[] | { [key: string]: Value };
export type Tree = { [key: string]: Value };
export type Path = readonly (string | number)[];

export interface Flaw {
  place: Path;
  path: string;
  line: number;
  reason: string;
}

export function isMapping(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function valueAt(tree: Value | undefined, path: Path): Value | undefined {
  let here = tree;
  for (const part of path) {
    if (Array.isArray(here) && typeof part === "number") here = here[part];
    else if (isMapping(here) && Object.hasOwn(here, part)) here = here[part];
    else return undefined;
  }
  return here;
}

export function withValue(tree: Tree, path: Path, value: Value | undefined): Tree {
  return put(tree, path, value) as Tree;
}

function put(here: Value | undefined, path: Path, value: Value | undefined): Value | undefined {
  const [part, ...rest] = path;
  if (part === undefined) return value;
  if (Array.isArray(here) && typeof part === "number") {
    const next = put(here[part], rest, value);
    return next === undefined ? here.toSpliced(part, 1) : here.toSpliced(part, 1, next);
  }
  const mapping = isMapping(here) ? here : {};
  const next = put(own(mapping, String(part)), rest, value);
  if (next !== undefined) return { ...mapping, [part]: next };
  const { [String(part)]: _gone, ...kept } = mapping;
  return kept;
}

function own(mapping: Tree, key: string): Value | undefined {
  return Object.hasOwn(mapping, key) ? mapping[key] : undefined;
}

/** Keys in any order are the same mapping. */
export function same(one: Value | undefined, other: Value | undefined): boolean {
  if (one === other) return true;
  if (Array.isArray(one) && Array.isArray(other)) {
    return one.length === other.length && one.every((each, at) => same(each, other[at]));
  }
  if (!isMapping(one) || !isMapping(other)) return false;
  const keys = Object.keys(one);
  return (
    keys.length === Object.keys(other).length &&
    keys.every((key) => Object.hasOwn(other, key) && same(one[key], other[key]))
  );
}

/** Which nouns differ: for marks and counts. What exactly differs is the server's to tell. */
export function touched(before: Tree, after: Tree): { noun: string; id: string }[] {
  const found: { noun: string; id: string }[] = [];
  for (const noun of union(before, after)) {
    const [was, is] = [before[noun], after[noun]];
    if (same(was, is)) continue;
    if (isMapping(was ?? {}) && isMapping(is ?? {})) {
      const [old, now] = [(was ?? {}) as Tree, (is ?? {}) as Tree];
      for (const id of union(old, now)) {
        if (!same(own(old, id), own(now, id))) found.push({ noun, id });
      }
    } else {
      found.push({ noun, id: "" });
    }
  }
  return found;
}

function union(one: Tree, other: Tree): string[] {
  return [...new Set([...Object.keys(one), ...Object.keys(other)])];
}

export interface Merged {
  tree: Tree;
  /** Where both changed the same thing otherwise: mine was kept. */
  conflicts: Path[];
}

/** My changes since `base` on top of what others made of it. */
export function merge(base: Tree, mine: Tree, theirs: Tree): Merged {
  const conflicts: Path[] = [];
  const tree = (mergeAt([], base, mine, theirs, conflicts) ?? {}) as Tree;
  return { tree, conflicts };
}

function mergeAt(
  path: Path,
  base: Value | undefined,
  mine: Value | undefined,
  theirs: Value | undefined,
  conflicts: Path[],
): Value | undefined {
  if (same(mine, base)) return theirs;
  if (same(theirs, base) || same(mine, theirs)) return mine;
  if (isMapping(mine) && isMapping(theirs)) {
    const was = isMapping(base) ? base : {};
    const merged: Tree = {};
    for (const key of union(theirs, mine)) {
      const value = mergeAt(
        [...path, key],
        own(was, key),
        own(mine, key),
        own(theirs, key),
        conflicts,
      );
      if (value !== undefined) merged[key] = value;
    }
    return merged;
  }
  conflicts.push(path);
  return mine;
}

/** Whether a place is that of `path`, or within it. */
export function isWithin(place: Path, path: Path): boolean {
  return path.length <= place.length && path.every((part, at) => place[at] === part);
}

/** What was said of a place that is edited now is no longer known. */
export function withoutFlawsOf(flaws: readonly Flaw[], path: Path): Flaw[] {
  return flaws.filter((flaw) => !isWithin(flaw.place, path) && !isWithin(path, flaw.place));
}

const ID = /^[a-z0-9][a-z0-9_-]{0,31}$/;

export function isId(text: string): boolean {
  return ID.test(text);
}

const LETTERS: Record<string, string> = {
  а: "a",
  б: "b",
  в: "v",
  г: "g",
  д: "d",
  е: "e",
  ё: "e",
  ж: "zh",
  з: "z",
  и: "i",
  й: "y",
  к: "k",
  л: "l",
  м: "m",
  н: "n",
  о: "o",
  п: "p",
  р: "r",
  с: "s",
  т: "t",
  у: "u",
  ф: "f",
  х: "kh",
  ц: "ts",
  ч: "ch",
  ш: "sh",
  щ: "sch",
  ъ: "",
  ы: "y",
  ь: "",
  э: "e",
  ю: "yu",
  я: "ya",
};

/** An identifier for a name, such as `anna-petrova`, that none of `taken` is. */
export function idFor(name: string, taken: readonly string[]): string {
  const latin = [...name.toLowerCase()].map((sign) => LETTERS[sign] ?? sign).join("");
  const base =
    latin
      .replace(/[^a-z0-9]+/g, "-")
      .replace(/^-+|-+$/g, "")
      .slice(0, 28) || "new";
  let id = base;
  for (let count = 2; taken.includes(id); count += 1) id = `${base}-${count}`;
  return id;
}
