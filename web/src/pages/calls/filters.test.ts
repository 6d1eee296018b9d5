import { expect, test } from "vitest";
import { addressOf, filtersOf, inboundQueryOf, PLAIN } from "./filters";

test("an address that somebody wrote gives only what the list knows", () => {
  const found = filtersOf({
    kind: "placed",
    period: "yesterday",
    state: ["open", "nonsense"],
    queue: "",
    agent: "x".repeat(101),
    person: "p1",
    from: "tomorrow",
    number: "+79161234567",
  });
  expect(found).toEqual({ kind: "placed", period: "yesterday", state: ["open"], person: "p1" });
});

test("the plain list has a plain address, and an address leads back to its list", () => {
  expect(addressOf(PLAIN)).toEqual({});
  const filters = { ...PLAIN, state: ["open" as const], agent: "anna", period: "week" as const };
  expect(filtersOf(addressOf(filters) as Record<string, unknown>)).toEqual(filters);
});

test("the server is asked for what was chosen, from midnight on", () => {
  const now = new Date(2026, 10, 22, 15, 30).getTime();
  const query = inboundQueryOf({ ...PLAIN, queue: "sales", state: ["open"] }, now);
  expect(query).toEqual({
    since: new Date(2026, 10, 22).getTime(),
    queue: "sales",
    state: ["open"],
  });
});
