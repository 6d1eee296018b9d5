import { expect, test } from "vitest";
import { clock, fullMoment, moment, phoneNumber } from "./format";
import { setLanguage } from "./i18n";
import { setZone } from "./zones";

test("a length reads as a clock and is never negative", () => {
  expect(clock(7_999)).toBe("0:07");
  expect(clock(725_000)).toBe("12:05");
  expect(clock(3_723_000)).toBe("1:02:03");
  expect(clock(-5)).toBe("0:00");
});

test("a Russian number is grouped, a mask and a foreign number stay", () => {
  expect(phoneNumber("+79161234567")).toBe("+7 916 123-45-67");
  expect(phoneNumber("+7916*****67")).toBe("+7916*****67");
  expect(phoneNumber("+4930123456")).toBe("+4930123456");
  expect(phoneNumber(null)).toBe("");
});

test("the day has 24 hours in both languages", async () => {
  const evening = new Date(2026, 8, 21, 19, 5, 9).getTime();
  const midnight = new Date(2026, 8, 21, 0, 5, 9).getTime();
  for (const language of ["en", "ru"] as const) {
    await setLanguage(language);
    expect(moment(evening, evening)).toBe("19:05");
    expect(moment(midnight, midnight)).toBe("00:05");
    expect(fullMoment(evening)).toContain("19:05:09");
  }
});

test("moments are told by the tenant's clock, and so is whether they are today's", () => {
  const at = Date.parse("2026-11-22T20:30:00Z");
  setZone("Asia/Vladivostok");
  expect(moment(at, at + 3_600_000)).toBe("06:30");
  expect(moment(at, at - 8 * 3_600_000)).toContain("23");
  expect(fullMoment(at)).toContain("06:30:00");
});
