import { expect, test } from "vitest";
import { i18n } from "@/i18n/i18n";
import { inUnit, lengthText, parseLength, writeLength } from "./lengths";

test("lengths are read as the plan file writes them", () => {
  expect(parseLength("10s")).toBe(10_000);
  expect(parseLength("1h30m")).toBe(5_400_000);
  expect(parseLength("1500ms")).toBe(1_500);
  expect(parseLength(15)).toBe(15_000);
  expect(parseLength("20")).toBe(20_000);
  for (const odd of ["", "10 s", "1.5h", "-3s", "s", null, undefined, 1.5]) {
    expect(parseLength(odd)).toBeNull();
  }
});

test("a length is shown in the largest unit that is whole", () => {
  expect(inUnit(90_000)).toEqual({ count: 90, unit: "s" });
  expect(inUnit(120_000)).toEqual({ count: 2, unit: "m" });
  expect(inUnit(0)).toEqual({ count: 0, unit: "s" });
  expect(inUnit(86_400_000)).toEqual({ count: 1, unit: "d" });
  for (const length of [1, 999, 61_000, 5_400_000, 172_800_000]) {
    const { count, unit } = inUnit(length);
    expect(parseLength(writeLength(count, unit))).toBe(length);
  }
});

test("a length is told in words of the language", async () => {
  await i18n.changeLanguage("en");
  expect(lengthText("1h30m")).toBe("1 h 30 min");
  expect(lengthText("90s")).toBe("1 min 30 s");
  expect(lengthText("soon")).toBe("soon");
  await i18n.changeLanguage("ru");
  expect(lengthText("10s")).toBe("10 с");
});
