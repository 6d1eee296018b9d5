/** The board as somebody looks at it: rows of some groups and queues, and what their figures are. */
import type { Sections } from "@/live/board";

export interface Choice {
  groups: string[];
  queues: string[];
}

const CHOSEN_MAX = 50;

/** From an address, which anybody may have written: `?group=sales&queue=shop`. */
export function choiceOf(search: Record<string, unknown>): Choice {
  return { groups: ids(search.group), queues: ids(search.queue) };
}

function ids(value: unknown): string[] {
  const given = Array.isArray(value) ? value : [value];
  const found = given.map((each) => (typeof each === "number" ? String(each) : each));
  return found.filter((each): each is string => typeof each === "string").slice(0, CHOSEN_MAX);
}

export function addressOf(choice: Choice): { group?: string[]; queue?: string[] } {
  return {
    ...(choice.groups.length > 0 ? { group: choice.groups } : {}),
    ...(choice.queues.length > 0 ? { queue: choice.queues } : {}),
  };
}

type Shown = Pick<Sections, "waiting" | "talking" | "agents" | "debts" | "queues">;

/** A group stands for its people and for the queues that ring it; a queue for those whom it rings. */
export function narrowed(sections: Sections, choice: Choice): Shown {
  const { groups, queues } = choice;
  if (groups.length === 0 && queues.length === 0) return sections;
  const shown = Object.fromEntries(
    Object.entries(sections.queues).filter(
      ([id, queue]) =>
        (queues.length === 0 || queues.includes(id)) &&
        (groups.length === 0 || queue.groups.some((group) => groups.includes(group))),
    ),
  );
  const rung = new Set(groups.length > 0 ? groups : Object.values(shown).flatMap((q) => q.groups));
  const of = <Row extends { queue: string }>(rows: Record<string, Row>): Record<string, Row> =>
    Object.fromEntries(Object.entries(rows).filter(([, row]) => row.queue in shown));
  return {
    queues: shown,
    waiting: of(sections.waiting),
    talking: of(sections.talking),
    debts: of(sections.debts),
    agents: Object.fromEntries(
      Object.entries(sections.agents).filter(([, row]) =>
        row.groups.some((group) => rung.has(group)),
      ),
    ),
  };
}

export interface Figures {
  waiting: number;
  oldestAt: number | null;
  /** Of today's calls; null: there were none. */
  inTarget: number | null;
  missedShare: number | null;
  missed: number;
  /** How many of today's calls have ended: shares are of these. */
  ended: number;
  available: number;
  busy: number;
  paused: number;
  debts: number;
  oldestDebtAt: number | null;
}

const BUSY = new Set(["ringing", "talking", "wrap_up"]);

/** Queues know of all, also where a section shows its first rows only. */
export function figuresOf(shown: Shown, today: Sections["queues_today"]): Figures {
  const figures: Figures = {
    waiting: 0,
    oldestAt: null,
    inTarget: null,
    missedShare: null,
    missed: 0,
    ended: 0,
    available: 0,
    busy: 0,
    paused: 0,
    debts: 0,
    oldestDebtAt: null,
  };
  let [answered, inTarget] = [0, 0];
  for (const [id, queue] of Object.entries(shown.queues)) {
    figures.waiting += queue.waiting;
    figures.oldestAt = earlier(figures.oldestAt, queue.oldest_at);
    figures.debts += queue.debts;
    figures.oldestDebtAt = earlier(figures.oldestDebtAt, queue.oldest_debt_at);
    const counts = today[id];
    if (counts === undefined) continue;
    figures.missed += counts.missed;
    answered += counts.answered;
    inTarget += counts.in_target;
  }
  for (const agent of Object.values(shown.agents)) {
    if (agent.status === "available") figures.available += 1;
    else if (agent.status === "paused") figures.paused += 1;
    else if (BUSY.has(agent.status)) figures.busy += 1;
  }
  figures.ended = answered + figures.missed;
  if (figures.ended > 0) {
    figures.inTarget = inTarget / figures.ended;
    figures.missedShare = figures.missed / figures.ended;
  }
  return figures;
}

function earlier(one: number | null, other: number | null): number | null {
  if (one === null || other === null) return one ?? other;
  return Math.min(one, other);
}
