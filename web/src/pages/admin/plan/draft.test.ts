import { beforeEach, expect, test } from "vitest";
import { discard, edit, openDraft, setFlaws, useDraft } from "./draft";

const PLAN = { version: "v1", tree: { zone: "UTC", queues: { shop: { wrap_up: "10s" } } } };

beforeEach(() => {
  window.localStorage.clear();
  useDraft.setState({ owner: "", base: "", before: {}, tree: {}, flaws: [] });
  openDraft("olga");
});

test("the first change begins a draft, which outlives a reload and is hers alone", () => {
  edit(PLAN, ["queues", "shop", "wrap_up"], "30s");
  useDraft.setState({ owner: "", base: "", before: {}, tree: {} });
  openDraft("petr");
  expect(useDraft.getState().base).toBe("");
  openDraft("olga");
  expect(useDraft.getState().base).toBe("v1");
  expect(useDraft.getState().tree).toEqual({ zone: "UTC", queues: { shop: { wrap_up: "30s" } } });
});

test("a draft in which nothing differs any more is none", () => {
  edit(PLAN, ["zone"], "Asia/Omsk");
  edit(PLAN, ["zone"], "UTC");
  expect(useDraft.getState().base).toBe("");
  expect(window.localStorage.length).toBe(0);
});

test("what was thrown away does not come back", () => {
  edit(PLAN, ["zone"], "Asia/Omsk");
  discard();
  useDraft.setState({ owner: "" });
  openDraft("olga");
  expect(useDraft.getState().base).toBe("");
});

test("a damaged draft is none", () => {
  window.localStorage.setItem("perezvon.plan-draft.vera", '{"base": 5, "tree": []}');
  openDraft("vera");
  expect(useDraft.getState().base).toBe("");
  window.localStorage.setItem("perezvon.plan-draft.ivan", "{");
  openDraft("ivan");
  expect(useDraft.getState().base).toBe("");
});

test("an edit silences the flaws of its place", () => {
  const flaw = (...place: string[]) => ({ place, path: "", line: 1, reason: "no" });
  edit(PLAN, ["zone"], "Mars");
  setFlaws([flaw("zone"), flaw("queues", "shop")]);
  edit(PLAN, ["zone"], "Asia/Omsk");
  expect(useDraft.getState().flaws).toEqual([flaw("queues", "shop")]);
});
