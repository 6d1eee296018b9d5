/**
 * The live board as the server tells it: a snapshot, then numbered deltas.
 *
 * `reduce` is pure. A gap in the numbers gives `null`: the caller opens the feed anew and gets a
 * snapshot. Shapes are those of `src/perezvon/runtime/board.py`; moments are milliseconds, UTC.
 */

export interface ClientCells {
  person: string | null;
  number: string;
  name: string;
}

export interface WaitingRow extends ClientCells {
  queue: string;
  state: "greeting" | "waiting" | "fell_back" | string;
  since_at: number;
  step: number;
  round: number;
  ringing: string[];
  ringing_names: string[];
  debt: string | null;
}

export interface TalkingRow extends ClientCells {
  queue: string;
  since_at: number;
  arrived_at: number;
  agent: string | null;
  agent_name: string;
  debt: string | null;
}

export type AgentStatus = "signed_out" | "available" | "ringing" | "talking" | "wrap_up" | "paused";

export interface AgentRow {
  name: string;
  status: AgentStatus;
  since_at: number;
  reason: string;
  reachable: boolean;
  call: string | null;
  wanted: "available" | "paused" | "signed_out" | null;
  answered_today: number;
  missed: number;
  /** Which of his devices rings. */
  device: "sip" | "webrtc" | "mobile" | string;
  /** His own and those that he is lent to. */
  groups: string[];
  lent_to: { group: string; until_at: number }[];
}

export interface DebtRow extends ClientCells {
  queue: string;
  missed_at: number;
  calls: number;
  owner: string | null;
  owner_name: string;
  due_at: number;
  overdue: boolean;
  next_at: number | null;
  attempts: number;
  attempting: boolean;
}

export interface QueueRow {
  name: string;
  waiting: number;
  oldest_at: number | null;
  talking: number;
  debts: number;
  oldest_debt_at: number | null;
  /** Whose people it rings. */
  groups: string[];
}

export interface GroupRow {
  name: string;
  leader: string | null;
}

export interface QueueTodayRow {
  arrivals: number;
  answered: number;
  /** Of those answered, soon enough. */
  in_target: number;
  missed: number;
}

export interface AgentTodayRow {
  answered: number;
  missed: number;
}

/** What the figures should be, see `targets` in the plan. */
export interface TargetsRow {
  waiting: number;
  wait_ms: number;
  longest_wait_ms: number;
  service_level_percent: number;
  missed_percent: number;
  available: number;
  debts: number;
  debt_age_ms: number;
}

/** By the supervisor: at whose talk he is. */
export interface SupervisionRow {
  call: string;
  agent: string;
  agent_name: string;
  mode: "listen" | "whisper" | "barge";
  /** Null: his telephone still rings. */
  since_at: number | null;
}

export interface LedgerRow {
  arrivals: number;
  in_progress: number;
  answered: number;
  recovered: number;
  reached_us: number;
  waived: number;
  open: number;
  debts_open: number;
  balanced: boolean;
}

export interface AlertRow {
  kind: string;
  about: string;
  since_at: number;
  detail: string;
}

export interface Sections {
  waiting: Record<string, WaitingRow>;
  talking: Record<string, TalkingRow>;
  agents: Record<string, AgentRow>;
  debts: Record<string, DebtRow>;
  queues: Record<string, QueueRow>;
  ledger: Record<string, LedgerRow>;
  trunks: Record<string, { up: boolean }>;
  guard: Record<string, { up: boolean; plan?: string }>;
  alerts: Record<string, AlertRow>;
  supervisions: Record<string, SupervisionRow>;
  groups: Record<string, GroupRow>;
  targets: Record<string, TargetsRow>;
  queues_today: Record<string, QueueTodayRow>;
  agents_today: Record<string, AgentTodayRow>;
}

export interface Board {
  /** Of the last message; null before the first. */
  number: number | null;
  at: number;
  sections: Sections;
}

type Changes = { [Name in keyof Sections]?: Record<string, Sections[Name][string] | null> };

export type Message =
  | { type: "snapshot"; number: number; at: number; sections: Partial<Sections> }
  | { type: "delta"; number: number; at: number; sections: Changes };

const NOTHING: Sections = {
  waiting: {},
  talking: {},
  agents: {},
  debts: {},
  queues: {},
  ledger: {},
  trunks: {},
  guard: {},
  alerts: {},
  supervisions: {},
  groups: {},
  targets: {},
  queues_today: {},
  agents_today: {},
};

export const EMPTY: Board = { number: null, at: 0, sections: NOTHING };

export function reduce(board: Board, message: Message): Board | null {
  const { number, at } = message;
  if (message.type === "snapshot") {
    return { number, at, sections: { ...NOTHING, ...message.sections } };
  }
  if (board.number === null || number !== board.number + 1) return null;
  const sections = { ...board.sections };
  for (const name of Object.keys(message.sections) as (keyof Sections)[]) {
    if (!(name in NOTHING)) continue;
    // Sections that did not change keep their identity, so that only what shows them is drawn anew.
    const rows: Record<string, unknown> = board.sections[name];
    sections[name] = changed(rows, message.sections[name] ?? {}) as never;
  }
  return { number, at, sections };
}

function changed<Row>(
  rows: Record<string, Row>,
  changes: Record<string, Row | null>,
): Record<string, Row> {
  const next = { ...rows };
  for (const [key, row] of Object.entries(changes)) {
    if (row === null) delete next[key];
    else next[key] = row;
  }
  return next;
}
