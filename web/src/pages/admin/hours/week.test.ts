import { expect, test } from "vitest";
import { datesOf, dayAfter, monthAfter, weekOf, writeDates, writeWeek } from "./week";

test("a week is read day by day and written by runs of days", () => {
  const hours = { "mon-fri": "09:00-21:00", "sat,sun": ["10:00-14:00", "15:00-18:00"] };
  const week = weekOf(hours);
  expect(week).toEqual([
    ...Array(5).fill("09:00-21:00"),
    ...Array(2).fill("10:00-14:00, 15:00-18:00"),
  ]);
  expect(writeWeek(week ?? [], true)).toEqual({
    "mon-fri": "09:00-21:00",
    "sat-sun": "10:00-14:00, 15:00-18:00",
  });
  expect(weekOf({ mon: "closed", tue: "09:00-10:00", holidays: false })?.slice(0, 3)).toEqual([
    "",
    "09:00-10:00",
    "",
  ]);
  expect(writeWeek(["", "09:00-10:00", "", "", "", "", ""], false)).toEqual({
    tue: "09:00-10:00",
    holidays: false,
  });
  expect(weekOf("24/7")).toEqual(Array(7).fill("00:00-24:00"));
  expect(weekOf({ someday: "09:00-10:00" })).toBeNull();
});

test("holidays are dates for a calendar and ranges in the file", () => {
  const file = { "2026-01-01..2026-01-03": "closed", "2026-12-31": "09:00-15:00" };
  const dates = datesOf(file);
  expect([...dates.keys()]).toEqual(["2026-01-01", "2026-01-02", "2026-01-03", "2026-12-31"]);
  expect(writeDates(dates)).toEqual(file);
  dates.delete("2026-01-02");
  expect(Object.keys(writeDates(dates) ?? {})).toEqual(["2026-01-01", "2026-01-03", "2026-12-31"]);
  expect(writeDates(new Map())).toBeUndefined();
});

test("days and months go on over the ends of months and years", () => {
  expect(dayAfter("2026-12-31")).toBe("2027-01-01");
  expect(dayAfter("2028-02-28")).toBe("2028-02-29");
  expect(monthAfter("2026-12", 1)).toBe("2027-01");
  expect(monthAfter("2026-01", -1)).toBe("2025-12");
});
