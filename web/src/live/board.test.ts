import { expect, test } from "vitest";
import { EMPTY, type Message, reduce } from "./board";

const queue = {
  name: "Shop",
  waiting: 1,
  oldest_at: 5,
  talking: 0,
  debts: 0,
  oldest_debt_at: null,
  groups: [],
};
const snapshot: Message = {
  type: "snapshot",
  number: 7,
  at: 100,
  sections: { queues: { shop: queue }, trunks: { main: { up: true } } },
};

test("a snapshot replaces everything", () => {
  const before = reduce(EMPTY, snapshot);
  const after = before && reduce(before, { type: "snapshot", number: 9, at: 200, sections: {} });
  expect(after?.sections.queues).toEqual({});
  expect(after?.number).toBe(9);
});

test("a delta changes rows, takes rows away, and leaves other sections as they are", () => {
  const before = reduce(EMPTY, snapshot);
  if (before === null) throw new Error("no board");
  const after = reduce(before, {
    type: "delta",
    number: 8,
    at: 150,
    sections: { queues: { shop: null, night: queue } },
  });
  expect(after?.sections.queues).toEqual({ night: queue });
  expect(after?.sections.trunks).toBe(before.sections.trunks);
  expect(before.sections.queues).toEqual({ shop: queue });
});

test.each([6, 7, 9])("a delta numbered %i after 7 is a gap", (number) => {
  const before = reduce(EMPTY, snapshot);
  if (before === null) throw new Error("no board");
  expect(reduce(before, { type: "delta", number, at: 150, sections: {} })).toBeNull();
});

test("a delta without a snapshot is a gap", () => {
  expect(reduce(EMPTY, { type: "delta", number: 1, at: 1, sections: {} })).toBeNull();
});
