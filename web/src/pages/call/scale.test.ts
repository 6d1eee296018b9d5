import { expect, test } from "vitest";
import type { StoryPart, StoryStage } from "@/api/generated";
import { lanesOf, lookOf, percent, scaleOf, ticksOf } from "./scale";

function stage(told: Partial<StoryStage>): StoryStage {
  return {
    stage: "ringing",
    agent: null,
    agent_name: "",
    from_at: 0,
    to_at: null,
    outcome: null,
    step: null,
    ring_ms: null,
    queue_name: "",
    ...told,
  };
}

function part(told: Partial<StoryPart>): StoryPart {
  return {
    call: "c1",
    kind: "call",
    dial: null,
    from_at: 1_000,
    to_at: 21_000,
    outcome: null,
    stages: [],
    ...told,
  };
}

test("a wrap-up after the call is in sight too, and what goes on reaches to now", () => {
  const wrapUp = stage({ stage: "wrap_up", agent: "anna", from_at: 21_000, to_at: 31_000 });
  expect(scaleOf(part({ stages: [wrapUp] }), 99_000)).toEqual({ from: 1_000, to: 31_000 });
  expect(scaleOf(part({ to_at: null }), 41_000)).toEqual({ from: 1_000, to: 41_000 });
});

test("a call that began this very moment has a length all the same", () => {
  const scale = scaleOf(part({ to_at: null }), 1_000);
  expect(scale.to).toBeGreaterThan(scale.from);
  expect(percent(scale, 1_000)).toBe(0);
});

test("there are some ticks and never many, however long a call is", () => {
  for (const length of [1_000, 7_000, 61_000, 3_600_000, 90_000_000]) {
    const ticks = ticksOf({ from: 0, to: length });
    expect(ticks.length).toBeGreaterThan(1);
    expect(ticks.length).toBeLessThanOrEqual(9);
    expect(ticks.every((tick) => tick.left >= 0 && tick.left <= 100)).toBe(true);
  }
});

test("the client's lane is the first, and each agent has one of his own", () => {
  const told = part({
    stages: [
      stage({ agent: "boris", agent_name: "Boris", from_at: 2_000, to_at: 11_000 }),
      stage({ stage: "waiting", from_at: 1_000, to_at: 21_000 }),
      stage({ agent: "anna", agent_name: "Anna", from_at: 11_000 }),
      stage({ stage: "talk", agent: "boris", agent_name: "Boris", from_at: 12_000, to_at: 20_000 }),
    ],
  });
  const lanes = lanesOf(told, scaleOf(told, 21_000));
  expect(lanes.map((lane) => [lane.name, lane.bars.length])).toEqual([
    ["", 1],
    ["Boris", 2],
    ["Anna", 1],
  ]);
  expect(lanes[2]?.bars[0]).toMatchObject({ left: 50, width: 50, isOpen: true });
});

test("a bar of no length can be seen, within the line", () => {
  const told = part({ stages: [stage({ from_at: 21_000, to_at: 21_000 })] });
  const bar = lanesOf(told, scaleOf(told, 0))[0]?.bars[0];
  expect(bar?.width).toBeGreaterThan(0);
  expect((bar?.left ?? 100) + (bar?.width ?? 0)).toBeLessThanOrEqual(100);
});

test("a ringing looks like what it came to", () => {
  expect(lookOf(stage({ outcome: "missed" }))).toBe("ringing-missed");
  expect(lookOf(stage({}))).toBe("ringing-on");
  expect(lookOf(stage({ stage: "talk" }))).toBe("talk");
});
