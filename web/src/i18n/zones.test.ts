import { expect, test } from "vitest";
import { dayText, knownZone, momentOf, setZone, wallText, zone } from "./zones";

test("a wall clock of another zone is read and set", () => {
  const at = Date.parse("2026-09-26T16:40:00Z");
  expect(wallText(at, "Europe/Moscow")).toBe("2026-09-26T19:40");
  expect(momentOf("2026-09-26T19:40", "Europe/Moscow")).toBe(at);
  expect(momentOf("2026-01-01T00:00", "America/New_York")).toBe(Date.parse("2026-01-01T05:00:00Z"));
  expect(momentOf("", "Europe/Moscow")).toBeNaN();
  expect(momentOf("soon", "Europe/Moscow")).toBeNaN();
});

test("the clock is that of the tenant, wherever the browser is", () => {
  const late = Date.parse("2026-11-22T20:30:00Z");
  for (const [name, day] of [
    ["Asia/Vladivostok", "2026-11-23"],
    ["America/New_York", "2026-11-22"],
  ] as const) {
    setZone(name);
    expect(zone()).toBe(name);
    expect(dayText(late)).toBe(day);
    expect(momentOf(wallText(late))).toBe(late);
  }
});

test("also on the days when the clock is put forward or back", () => {
  for (const wall of ["2026-03-29T01:30", "2026-03-29T03:30", "2026-10-25T01:30"]) {
    expect(wallText(momentOf(wall, "Europe/Berlin"), "Europe/Berlin")).toBe(wall);
  }
});

test("a zone that is none is UTC", () => {
  expect(knownZone("Mars/Olympus")).toBe("UTC");
  expect(knownZone(undefined)).toBe("UTC");
  expect(knownZone("Asia/Omsk")).toBe("Asia/Omsk");
});
