/**
 * What the desk shows: pure, from the rows of the live board and the telephone on this page.
 *
 * The board says what is going on, the telephone what is heard here. The telephone is often first
 * to know (it rings before the board is told), and the board alone knows of calls on other devices.
 */
import type { AgentRow, AgentStatus, Sections, TalkingRow, WaitingRow } from "@/live/board";

export interface HeardCall {
  readonly id: string | null;
  readonly number: string;
  readonly name: string;
  readonly outgoing: boolean;
  readonly state: "ringing" | "connecting" | "talking";
  readonly beganAt: number;
  readonly answeredAt: number | null;
  readonly muted: boolean;
  readonly held: boolean;
}

/** Who hands the client over, and to whom. */
export interface Handing {
  handed_by?: string | null;
  to_agent?: string | null;
  to_queue?: string | null;
  to_number?: boolean;
  target_answered?: boolean;
}

export type CallStage = "incoming" | "dialling" | "talking" | "wrap_up";

export interface DeskCall {
  id: string | null;
  stage: CallStage;
  person: string | null;
  number: string;
  name: string;
  queue: string;
  /** The debt that a call-back is to settle. */
  debt: string | null;
  /** We call him. */
  outgoing: boolean;
  /** When he came, or was dialled. */
  beganAt: number | null;
  answeredAt: number | null;
  /** I hand him over, and to whom; null: I do not. */
  handing: Handing | null;
  /** The talk goes on, and neither this page nor another device of mine is heard in it. */
  lost: boolean;
}

export interface DeskState {
  row: AgentRow | null;
  call: DeskCall | null;
}

type Rows = Pick<Sections, "agents" | "waiting" | "talking">;
type Waiting = WaitingRow & Handing;
type Talking = TalkingRow & Handing & { state?: string };

/** States of a call to which the client is still to be brought: we called him. */
const CALLING_HIM = new Set(["ringing_agent", "briefing", "dialling"]);

export function deskOf(
  me: string,
  rows: Rows,
  heard: HeardCall | null,
  known: DeskCall | null = null,
): DeskState {
  const row = rows.agents[me] ?? null;
  const id = row?.call ?? heard?.id ?? rungFor(me, rows.waiting);
  if (id === null) return { row, call: heard === null ? null : ofHeard(heard, null) };
  const before = known?.id === id ? known : null;
  const talking: Talking | undefined = rows.talking[id];
  if (talking !== undefined && isMine(me, row, talking)) {
    return { row, call: ofTalking(me, id, talking, before) };
  }
  const waiting: Waiting | undefined = rows.waiting[id];
  if (waiting !== undefined && (row?.status === "ringing" || row?.status === "talking")) {
    return { row, call: ofWaiting(me, id, waiting, row.status) };
  }
  if (row?.status === "wrap_up") return { row, call: afterwards(id, before) };
  // A talk that he supervises is another's: it is not his to hand over, nor to note.
  if (talking !== undefined && heard !== null) {
    return { row, call: ofHeard({ ...heard, id: null }, null) };
  }
  return { row, call: heard === null ? null : ofHeard(heard, before) };
}

function rungFor(me: string, waiting: Rows["waiting"]): string | null {
  const found = Object.entries(waiting).find(([, row]) => row.ringing.includes(me));
  return found?.[0] ?? null;
}

/** A colleague who is asked about the client talks too, though the client is another's. */
function isMine(me: string, row: AgentRow | null, talking: Talking): boolean {
  return talking.agent === me || talking.handed_by === me || row?.status === "talking";
}

function ofTalking(me: string, id: string, row: Talking, before: DeskCall | null): DeskCall {
  const handing = row.handed_by === me && (row.to_agent || row.to_queue || row.to_number);
  return {
    id,
    stage: "talking",
    person: row.person,
    number: row.number,
    name: row.name,
    queue: row.queue,
    debt: row.debt,
    outgoing: row.debt !== null || before?.outgoing === true,
    beganAt: row.arrived_at,
    answeredAt: row.since_at,
    handing: handing ? row : null,
    lost: row.state === "rejoining",
  };
}

function ofWaiting(me: string, id: string, row: Waiting, status: AgentStatus): DeskCall {
  const outgoing = CALLING_HIM.has(row.state);
  const own = outgoing && row.debt === null;
  return {
    id,
    stage: status === "talking" || own ? "dialling" : "incoming",
    person: row.person,
    number: row.number,
    name: row.name,
    queue: row.queue,
    debt: row.debt,
    outgoing,
    beganAt: row.since_at,
    answeredAt: null,
    handing: row.handed_by === me ? row : null,
    lost: false,
  };
}

function afterwards(id: string, before: DeskCall | null): DeskCall {
  const known = before ?? { ...NOTHING, id };
  return { ...known, stage: "wrap_up", handing: null, lost: false };
}

const NOTHING: DeskCall = {
  id: null,
  stage: "incoming",
  person: null,
  number: "",
  name: "",
  queue: "",
  debt: null,
  outgoing: false,
  beganAt: null,
  answeredAt: null,
  handing: null,
  lost: false,
};

function ofHeard(heard: HeardCall, before: DeskCall | null): DeskCall {
  const stage =
    heard.state === "talking" ? "talking" : heard.outgoing ? "dialling" : ("incoming" as const);
  return {
    ...(before ?? {
      ...NOTHING,
      number: heard.number,
      name: heard.name,
      outgoing: heard.outgoing,
      beganAt: heard.beganAt,
    }),
    id: heard.id,
    stage,
    answeredAt: heard.answeredAt,
  };
}

/** Whether the sound of this talk has to be fetched to this page, as after it was loaded anew. */
export function wantsRejoin(
  state: DeskState,
  phone: { ready: boolean; heard: HeardCall | null },
): boolean {
  const talks = state.row?.status === "talking" && state.call?.stage === "talking";
  return talks && phone.ready && phone.heard === null && state.call?.handing === null;
}

/** When the wrap-up ends by itself; null: there is none. */
export function wrapUpEndsAt(row: AgentRow | null, wrapUpMs: number | undefined): number | null {
  return row?.status !== "wrap_up" || wrapUpMs === undefined ? null : row.since_at + wrapUpMs;
}

export interface Colleague {
  id: string;
  name: string;
  status: AgentStatus;
  free: boolean;
}

const RANK: Record<AgentStatus, number> = {
  available: 0,
  wrap_up: 1,
  ringing: 2,
  talking: 3,
  paused: 4,
  signed_out: 5,
};

/** Who may take a client over: the free ones first. */
export function colleagues(me: string, agents: Rows["agents"], wanted = ""): Colleague[] {
  const text = wanted.trim().toLowerCase();
  return Object.entries(agents)
    .filter(([id, row]) => id !== me && `${row.name} ${id}`.toLowerCase().includes(text))
    .map(([id, { name, status, reachable }]) => ({
      id,
      name,
      status,
      free: status === "available" && reachable,
    }))
    .sort(
      (one, other) =>
        Number(other.free) - Number(one.free) ||
        RANK[one.status] - RANK[other.status] ||
        one.name.localeCompare(other.name),
    );
}
