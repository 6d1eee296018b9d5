import { expect, test } from "vitest";
import { setZone } from "@/i18n/zones";
import { addressOf, fileOf, filtersOf, PLAIN, queryOf, spanOf } from "./filters";

const NOON = new Date(2026, 10, 22, 12, 30).getTime();

test("an address gives what it may give and nothing else", () => {
  expect(
    filtersOf({
      period: "today",
      reaction: ["soon", "rude"],
      reason: "timed_out",
      queue: "x".repeat(101),
      owner: 7,
      sort: "name; DROP",
      from: "2026-1-1",
      ascending: true,
    }),
  ).toEqual({ period: "today", reaction: ["soon"], reason: ["timed_out"], ascending: true });
});

test("what is as on the plain list is not in the address", () => {
  expect(addressOf(PLAIN)).toEqual({});
  const narrowed = { ...PLAIN, queue: "shop", reaction: ["nobody" as const], sort: "due" as const };
  expect({ ...PLAIN, ...filtersOf(addressOf(narrowed)) }).toEqual(narrowed);
});

test("a period is whole days of the tenant", () => {
  setZone("Asia/Vladivostok");
  const late = Date.parse("2026-11-22T20:30:00Z");
  expect(spanOf({ period: "today" }, late)).toEqual({ since: Date.parse("2026-11-22T14:00:00Z") });
  setZone("Europe/Berlin");
  expect(spanOf({ period: "days", from: "2026-03-29", to: "2026-03-29" }, late)).toEqual({
    since: Date.parse("2026-03-28T23:00:00Z"),
    until: Date.parse("2026-03-29T22:00:00Z"),
  });
});

test("a period begins so many days ago", () => {
  setZone(new Intl.DateTimeFormat().resolvedOptions().timeZone);
  const midnight = new Date(2026, 10, 22).getTime();
  expect(spanOf({ period: "today" }, NOON)).toEqual({ since: midnight });
  const yesterday = new Date(2026, 10, 21).getTime();
  expect(spanOf({ period: "yesterday" }, NOON)).toEqual({ since: yesterday, until: midnight });
  expect(spanOf({ period: "week" }, NOON)).toEqual({ since: new Date(2026, 10, 16).getTime() });
  expect(spanOf({ period: "all" }, NOON)).toEqual({});
  expect(spanOf({ period: "days", from: "2026-11-01", to: "2026-11-02" }, NOON)).toEqual({
    since: new Date(2026, 10, 1).getTime(),
    until: new Date(2026, 10, 3).getTime(),
  });
  expect(spanOf({ period: "days" }, NOON)).toEqual({});
});

test("the file is asked for by the same filters as the list", () => {
  const query = queryOf({ ...PLAIN, period: "all", reaction: ["soon", "late"] }, NOON);
  const address = new URL(fileOf(query, "ru"), "http://x");
  expect(address.pathname).toBe("/api/v1/debts.csv");
  expect(address.searchParams.getAll("reaction")).toEqual(["soon", "late"]);
  expect(address.searchParams.get("sort")).toBe("opened");
});
