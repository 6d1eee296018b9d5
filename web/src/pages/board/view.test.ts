import { expect, test } from "vitest";
import { EMPTY, type Sections } from "@/live/board";
import { choiceOf, figuresOf, narrowed } from "./view";

const agent = {
  name: "Anna",
  status: "available" as const,
  since_at: 0,
  reason: "",
  reachable: true,
  call: null,
  wanted: null,
  answered_today: 0,
  missed: 0,
  device: "sip",
  groups: ["front"],
  lent_to: [],
};
const queue = {
  name: "Shop",
  waiting: 2,
  oldest_at: 50,
  talking: 0,
  debts: 1,
  oldest_debt_at: 70,
  groups: ["front"],
};
const waiting = {
  person: null,
  number: "",
  name: "",
  queue: "shop",
  state: "waiting",
  since_at: 50,
  step: 0,
  round: 0,
  ringing: [],
  ringing_names: [],
  debt: null,
};
const sections: Sections = {
  ...EMPTY.sections,
  queues: {
    shop: queue,
    night: { ...queue, name: "Night", waiting: 1, oldest_at: 20, groups: ["back"] },
  },
  agents: { anna: agent, boris: { ...agent, status: "paused", groups: ["back", "front"] } },
  waiting: { c1: waiting, c2: { ...waiting, queue: "night" } },
};

test("without a choice the very same rows are shown", () => {
  expect(narrowed(sections, { groups: [], queues: [] })).toBe(sections);
});

test("a queue is shown with its callers and with those whom it rings", () => {
  const shown = narrowed(sections, { groups: [], queues: ["night"] });
  expect(Object.keys(shown.queues)).toEqual(["night"]);
  expect(Object.keys(shown.waiting)).toEqual(["c2"]);
  expect(Object.keys(shown.agents)).toEqual(["boris"]);
});

test("a group is shown with its people and the queues that ring it", () => {
  const shown = narrowed(sections, { groups: ["front"], queues: [] });
  expect(Object.keys(shown.queues)).toEqual(["shop"]);
  expect(Object.keys(shown.agents)).toEqual(["anna", "boris"]);
});

test("figures are summed over the queues that are shown", () => {
  const today = {
    shop: { arrivals: 12, answered: 8, in_target: 6, missed: 2 },
    night: { arrivals: 1, answered: 0, in_target: 0, missed: 0 },
  };
  const figures = figuresOf(sections, today);
  expect(figures).toMatchObject({ waiting: 3, oldestAt: 20, debts: 2, oldestDebtAt: 70 });
  expect(figures).toMatchObject({ available: 1, paused: 1, busy: 0, inTarget: 0.6 });
  expect(figures).toMatchObject({ missedShare: 0.2, missed: 2, ended: 10 });
  const night = figuresOf(narrowed(sections, { groups: [], queues: ["night"] }), today);
  expect(night.inTarget).toBeNull();
});

test("an address gives a list of names, or nothing", () => {
  expect(choiceOf({ group: "a", queue: ["b", 7, null] })).toEqual({
    groups: ["a"],
    queues: ["b", "7"],
  });
  expect(choiceOf({})).toEqual({ groups: [], queues: [] });
});
