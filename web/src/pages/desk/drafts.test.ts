import { expect, test } from "vitest";
import { changed, EMPTY_DRAFT, isUnsaved } from "./drafts";

test("a change makes a saved draft unsaved again, and leaves other calls alone", () => {
  const before = { c1: { ...EMPTY_DRAFT, result: "order", saved: true }, c2: EMPTY_DRAFT };
  const after = changed(before, "c1", { comment: "blue" });
  expect(after.c1).toEqual({ ...EMPTY_DRAFT, result: "order", comment: "blue" });
  expect(after.c2).toBe(before.c2);
});

test("the drafts of five calls are kept", () => {
  let drafts = {};
  for (let call = 1; call <= 7; call += 1) drafts = changed(drafts, `c${call}`, { comment: "x" });
  expect(Object.keys(drafts)).toEqual(["c3", "c4", "c5", "c6", "c7"]);
});

test("only a chosen result is worth saving by itself", () => {
  expect(isUnsaved({ ...EMPTY_DRAFT, comment: "x" })).toBe(false);
  expect(isUnsaved({ ...EMPTY_DRAFT, result: "order" })).toBe(true);
  expect(isUnsaved({ ...EMPTY_DRAFT, result: "order", saved: true })).toBe(false);
});
