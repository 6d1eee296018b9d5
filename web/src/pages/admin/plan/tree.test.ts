import { expect, test } from "vitest";
import {
  idFor,
  isId,
  merge,
  same,
  type Tree,
  touched,
  valueAt,
  withoutFlawsOf,
  withValue,
} from "./tree";

const PLAN: Tree = {
  zone: "Europe/Moscow",
  agents: { anna: { name: "Anna" }, boris: {} },
  queues: { shop: { steps: [{ groups: ["shop"], k: 3 }, { agents: ["anna"] }] } },
};

test("an edit gives a new tree and shares what stayed", () => {
  const edited = withValue(PLAN, ["queues", "shop", "steps", 0, "k"], 5);
  expect(valueAt(edited, ["queues", "shop", "steps", 0, "k"])).toBe(5);
  expect(valueAt(PLAN, ["queues", "shop", "steps", 0, "k"])).toBe(3);
  expect(edited.agents).toBe(PLAN.agents);
});

test("undefined takes a key or an item away, and what is missing is made", () => {
  const without = withValue(PLAN, ["queues", "shop", "steps", 0], undefined);
  expect(valueAt(without, ["queues", "shop", "steps"])).toEqual([{ agents: ["anna"] }]);
  expect(withValue(PLAN, ["agents", "anna", "name"], undefined).agents).toEqual({
    anna: {},
    boris: {},
  });
  expect(withValue({}, ["holidays", "2026-01-01"], "closed")).toEqual({
    holidays: { "2026-01-01": "closed" },
  });
});

test("no key of a prototype is taken for one of the tree", () => {
  expect(valueAt(PLAN, ["agents", "constructor"])).toBeUndefined();
  expect(touched(PLAN, withValue(PLAN, ["agents", "constructor"], {}))).toEqual([
    { noun: "agents", id: "constructor" },
  ]);
});

test("what was touched is told by noun and id, whatever the order of keys", () => {
  const reordered: Tree = { ...PLAN, agents: { boris: {}, anna: { name: "Anna" } } };
  expect(same(PLAN, reordered)).toBe(true);
  expect(touched(PLAN, reordered)).toEqual([]);
  let other = withValue(PLAN, ["zone"], "UTC");
  other = withValue(other, ["agents", "vera"], {});
  other = withValue(other, ["agents", "boris"], undefined);
  expect(touched(PLAN, other)).toEqual([
    { noun: "zone", id: "" },
    { noun: "agents", id: "boris" },
    { noun: "agents", id: "vera" },
  ]);
});

test("changes of two people join, and mine wins where both changed the same", () => {
  const mine = withValue(withValue(PLAN, ["agents", "anna", "name"], "Anya"), ["zone"], "UTC");
  const theirs = withValue(
    withValue(PLAN, ["agents", "vera"], { name: "Vera" }),
    ["zone"],
    "Asia/Omsk",
  );
  const merged = merge(PLAN, mine, theirs);
  expect(merged.tree.agents).toEqual({ anna: { name: "Anya" }, boris: {}, vera: { name: "Vera" } });
  expect(merged.tree.zone).toBe("UTC");
  expect(merged.conflicts).toEqual([["zone"]]);
});

test("what one took away and the other left alone is gone after a merge", () => {
  const mine = withValue(PLAN, ["agents", "boris"], undefined);
  const theirs = withValue(PLAN, ["language"], "en");
  expect(merge(PLAN, mine, theirs)).toEqual({
    tree: { ...theirs, agents: { anna: { name: "Anna" } } },
    conflicts: [],
  });
  expect(merge(PLAN, theirs, mine).tree).toEqual(merge(PLAN, mine, theirs).tree);
});

test("an edit silences what was said of that place, and of no other", () => {
  const flaw = (...place: (string | number)[]) => ({ place, path: "", line: 1, reason: "no" });
  const flaws = [flaw("queues", "shop", "steps", 0, "k"), flaw("queues", "shop", "hours")];
  expect(withoutFlawsOf(flaws, ["queues", "shop", "steps", 0, "k"])).toEqual([flaws[1]]);
  expect(withoutFlawsOf(flaws, ["queues", "shop", "steps"])).toEqual([flaws[1]]);
  expect(withoutFlawsOf(flaws, ["queues", "shop", "hours"])).toEqual([flaws[0]]);
});

test("an identifier is made from a name", () => {
  expect(idFor("Отдел продаж", [])).toBe("otdel-prodazh");
  expect(idFor("Anna", ["anna", "anna-2"])).toBe("anna-3");
  expect(idFor("№ 1!", [])).toBe("1");
  expect(idFor("…", [])).toBe("new");
  for (const name of ["Щукина Ёлка", "a".repeat(80)]) expect(isId(idFor(name, []))).toBe(true);
});
