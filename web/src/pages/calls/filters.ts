/** What the list of calls is narrowed by: in the page's address, so that it can be sent and kept. */
import { PERIODS, type Period, spanOf } from "@/pages/missed/filters";
import { CALL_STATES, type CallState } from "@/parts/call-state/call-state";

export const KINDS = ["inbound", "placed"] as const;
export type Kind = (typeof KINDS)[number];

export interface Filters {
  kind: Kind;
  period: Period;
  /** Of the period `days`: dates as `2026-11-22`, both included. */
  from?: string;
  to?: string;
  queue?: string;
  agent?: string;
  state: CallState[];
  /** One client. His number is never in an address. */
  person?: string;
}

export const PLAIN: Filters = { kind: "inbound", period: "today", state: [] };

const DATE = /^\d{4}-\d{2}-\d{2}$/;
const ID_LENGTH_MAX = 100;

/** From an address, which anybody may have written. */
export function filtersOf(search: Record<string, unknown>): Filters {
  const found: Filters = { ...PLAIN };
  found.kind = KINDS.find((each) => each === search.kind) ?? PLAIN.kind;
  found.period = PERIODS.find((each) => each === search.period) ?? PLAIN.period;
  for (const key of ["from", "to"] as const) {
    const date = search[key];
    if (typeof date === "string" && DATE.test(date)) found[key] = date;
  }
  for (const key of ["queue", "agent", "person"] as const) {
    const id = search[key];
    if (typeof id === "string" && id !== "" && id.length <= ID_LENGTH_MAX) found[key] = id;
  }
  const given = Array.isArray(search.state) ? search.state : [search.state];
  found.state = CALL_STATES.filter((each) => given.includes(each));
  return found;
}

/** Only what differs from the plain list, so that addresses stay short. */
export function addressOf(filters: Filters): Partial<Filters> {
  const kept = Object.entries(filters).filter(([key, value]) => {
    if (Array.isArray(value)) return value.length > 0;
    return value !== undefined && value !== PLAIN[key as keyof Filters];
  });
  return Object.fromEntries(kept) as Partial<Filters>;
}

/** As the API asks for both lists; those dialled by hand have no queue's outcome to narrow by. */
export function queryOf(filters: Filters, now: number) {
  const { agent, person } = filters;
  return {
    ...spanOf(filters, now),
    ...(agent === undefined ? {} : { agent }),
    ...(person === undefined ? {} : { person }),
  };
}

export function inboundQueryOf(filters: Filters, now: number) {
  const { queue, state } = filters;
  return { ...queryOf(filters, now), ...(queue === undefined ? {} : { queue }), state };
}
