/** What the list is narrowed and sorted by: in the page's address, so that it can be sent and kept. */
import type { DebtSort, ExportDebtsData, MissReason, Reaction } from "@/api/generated";
import { dayText, momentOf } from "@/i18n/zones";
import { REACTIONS } from "@/parts/debts/reaction";

export const PERIODS = ["today", "yesterday", "week", "month", "all", "days"] as const;
export type Period = (typeof PERIODS)[number];

export const SORTS = [
  "opened",
  "last_call",
  "due",
  "waited",
  "calls",
] as const satisfies readonly DebtSort[];

export const REASONS = [
  "left_in_greeting",
  "left_waiting",
  "left_ringing",
  "timed_out",
  "queue_full",
  "after_hours",
  "caller_abandoned_at_answer",
  "dropped_at_answer",
  "abandoned_in_fallback",
  "system_failure",
  "transfer_not_taken",
] as const satisfies readonly MissReason[];

export interface Filters {
  period: Period;
  /** Of the period `days`: dates as `2026-11-22`, both included. */
  from?: string;
  to?: string;
  queue?: string;
  group?: string;
  owner?: string;
  reaction: Reaction[];
  reason: MissReason[];
  sort: DebtSort;
  ascending: boolean;
  /** The list of attempts too short to be owed, instead of debts. */
  short: boolean;
}

export const PLAIN: Filters = {
  period: "week",
  reaction: [],
  reason: [],
  sort: "opened",
  ascending: false,
  short: false,
};

const DATE = /^\d{4}-\d{2}-\d{2}$/;
const ID_LENGTH_MAX = 100;

/** From an address, which anybody may have written. */
export function filtersOf(search: Record<string, unknown>): Partial<Filters> {
  const found: Partial<Filters> = {};
  const period = one(search.period, PERIODS);
  if (period !== undefined) found.period = period;
  for (const key of ["from", "to"] as const) {
    const date = search[key];
    if (typeof date === "string" && DATE.test(date)) found[key] = date;
  }
  for (const key of ["queue", "group", "owner"] as const) {
    const id = search[key];
    if (typeof id === "string" && id !== "" && id.length <= ID_LENGTH_MAX) found[key] = id;
  }
  const reaction = some(search.reaction, REACTIONS);
  if (reaction.length > 0) found.reaction = reaction;
  const reason = some(search.reason, REASONS);
  if (reason.length > 0) found.reason = reason;
  const sort = one(search.sort, SORTS);
  if (sort !== undefined) found.sort = sort;
  if (search.ascending === true) found.ascending = true;
  if (search.short === true) found.short = true;
  return found;
}

function one<const Known extends string>(
  value: unknown,
  known: readonly Known[],
): Known | undefined {
  return known.find((each) => each === value);
}

function some<const Known extends string>(value: unknown, known: readonly Known[]): Known[] {
  const given = Array.isArray(value) ? value : [value];
  return known.filter((each) => given.includes(each));
}

/** Only what differs from the plain list, so that addresses stay short. */
export function addressOf(filters: Filters): Partial<Filters> {
  const kept = Object.entries(filters).filter(([key, value]) => {
    if (Array.isArray(value)) return value.length > 0;
    return value !== undefined && value !== PLAIN[key as keyof Filters];
  });
  return Object.fromEntries(kept) as Partial<Filters>;
}

export interface Span {
  since?: number;
  until?: number;
}

/** Days begin at midnight of the tenant. */
export function spanOf(filters: Pick<Filters, "period" | "from" | "to">, now: number): Span {
  const today = dayText(now);
  switch (filters.period) {
    case "today":
      return { since: dayOf(today) };
    case "yesterday":
      return { since: dayOf(today, -1), until: dayOf(today) };
    case "week":
      return { since: dayOf(today, -6) };
    case "month":
      return { since: dayOf(today, -29) };
    case "all":
      return {};
    case "days":
      return {
        ...(filters.from === undefined ? {} : { since: dayOf(filters.from) }),
        ...(filters.to === undefined ? {} : { until: dayOf(filters.to, 1) }),
      };
  }
}

function dayOf(date: string, more = 0): number | undefined {
  const [year = 0, month = 1, day = 1] = date.split("-").map(Number);
  const wanted = new Date(Date.UTC(year, month - 1, day + more)).toISOString().slice(0, 10);
  const at = momentOf(`${wanted}T00:00`);
  return Number.isNaN(at) || at < 0 || at > 4_102_444_800_000 ? undefined : at;
}

type Query = NonNullable<ExportDebtsData["query"]>;

/** As the API asks for it. */
export function queryOf(filters: Filters, now: number): Query {
  const { queue, group, owner, reaction, reason, sort, ascending } = filters;
  return {
    ...spanOf(filters, now),
    ...(queue === undefined ? {} : { queue }),
    ...(group === undefined ? {} : { group }),
    ...(owner === undefined ? {} : { owner }),
    reaction,
    reason,
    sort,
    ascending,
  };
}

/** The address of the same list as a file. */
export function fileOf(query: Query, lang: "ru" | "en"): string {
  const params = new URLSearchParams({ lang });
  for (const [key, value] of Object.entries(query)) {
    for (const each of Array.isArray(value) ? value : [value]) params.append(key, String(each));
  }
  return `/api/v1/debts.csv?${params}`;
}
