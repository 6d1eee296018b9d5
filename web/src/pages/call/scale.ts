/** From moments to places on a line of time. Pure. */
import type { StoryPart, StoryStage } from "@/api/generated";

export interface Scale {
  from: number;
  to: number;
}

export interface Tick {
  at: number;
  /** Percent from the left. */
  left: number;
}

export interface Bar {
  stage: StoryStage;
  left: number;
  width: number;
  to: number;
  isOpen: boolean;
}

export interface Lane {
  /** null: the client's. */
  agent: string | null;
  name: string;
  bars: Bar[];
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const STEPS = [
  ...[1, 2, 5, 10, 15, 30].map((count) => count * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((count) => count * MINUTE),
  ...[1, 2, 4, 8, 24].map((count) => count * HOUR),
];
const TICKS_MAX = 8;
/** Narrower could be neither seen nor pointed at. */
const WIDTH_MIN = 0.4;
const OF_CLIENT = new Set(["greeting", "waiting", "fallback", "dialling", "transfer"]);

/** All of a part is in sight; what is open reaches to now. */
export function scaleOf(part: StoryPart, now: number): Scale {
  const ends = part.stages.map((stage) => stage.to_at ?? (part.to_at === null ? now : part.to_at));
  const to = Math.max(part.to_at ?? now, ...ends, part.from_at + SECOND);
  return { from: part.from_at, to };
}

export function percent(scale: Scale, at: number): number {
  const share = (at - scale.from) / (scale.to - scale.from);
  return 100 * Math.min(1, Math.max(0, share));
}

export function ticksOf(scale: Scale): Tick[] {
  const length = scale.to - scale.from;
  const step = STEPS.find((each) => length / each <= TICKS_MAX) ?? length;
  const ticks: Tick[] = [];
  for (let at = 0; at <= length && ticks.length <= TICKS_MAX; at += step) {
    ticks.push({ at, left: (100 * at) / length });
  }
  return ticks;
}

/** The client's lane first, then agents in the order in which they came into it. */
export function lanesOf(part: StoryPart, scale: Scale): Lane[] {
  const lanes = new Map<string, Lane>([["", { agent: null, name: "", bars: [] }]]);
  for (const stage of part.stages) {
    const key = OF_CLIENT.has(stage.stage) ? "" : `agent ${stage.agent ?? ""}`;
    const lane = lanes.get(key) ?? { agent: stage.agent ?? "", name: stage.agent_name, bars: [] };
    lanes.set(key, lane);
    const isOpen = stage.to_at === null;
    const to = stage.to_at ?? scale.to;
    const left = percent(scale, stage.from_at);
    const width = Math.max(WIDTH_MIN, percent(scale, to) - left);
    lane.bars.push({ stage, left: Math.min(left, 100 - WIDTH_MIN), width, to, isOpen });
  }
  return [...lanes.values()].filter((lane) => lane.bars.length > 0);
}

/** Which look a bar has: of ringings it is their end that matters. */
export function lookOf(stage: StoryStage): string {
  return stage.stage === "ringing" ? `ringing-${stage.outcome ?? "on"}` : stage.stage;
}
