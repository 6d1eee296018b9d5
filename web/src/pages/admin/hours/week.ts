/** Opening hours as the plan file writes them, for a form with seven rows: pure. */
import type { Tree, Value } from "../plan/tree";

export const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
export type Day = (typeof DAYS)[number];

export const CLOSED = "closed";

/** Text of each day, Monday first; empty: closed. Null when it is written in a way we do not draw. */
export function weekOf(hours: Value | undefined): string[] | null {
  const week = DAYS.map(() => "");
  if (hours === "24/7") return DAYS.map(() => "00:00-24:00");
  if (typeof hours !== "object" || hours === null || Array.isArray(hours)) return null;
  for (const [key, value] of Object.entries(hours)) {
    if (key === "holidays") continue;
    const days = daysOf(key);
    if (days === null) return null;
    for (const day of days) week[day] = intervalsText(value);
  }
  return week;
}

function intervalsText(value: Value | undefined): string {
  const text = Array.isArray(value) ? value.join(", ") : String(value ?? "");
  return text === CLOSED ? "" : text;
}

/** `mon-fri`, `sat,sun` as numbers of days. */
export function daysOf(key: string): number[] | null {
  const found: number[] = [];
  for (const part of key.split(",")) {
    const [from, to = from] = part.trim().split("-");
    const [first, last] = [DAYS.indexOf(from as Day), DAYS.indexOf(to as Day)];
    if (first < 0 || last < first) return null;
    for (let day = first; day <= last; day += 1) found.push(day);
  }
  return found;
}

/** The way back: days that follow one another with the same hours share a key. */
export function writeWeek(week: readonly string[], knowsHolidays: boolean): Tree {
  const written: Tree = {};
  for (let at = 0; at < DAYS.length; ) {
    let end = at;
    while (end + 1 < DAYS.length && week[end + 1] === week[at]) end += 1;
    const key = end === at ? DAYS[at] : `${DAYS[at]}-${DAYS[end]}`;
    const hours = week[at] ?? "";
    if (key !== undefined && hours !== "") written[key] = hours;
    at = end + 1;
  }
  return knowsHolidays ? written : { ...written, holidays: false };
}

/** The holidays of the plan, day by day: a range of dates is what it says for each. */
export function datesOf(holidays: Value | undefined): Map<string, string> {
  const dates = new Map<string, string>();
  if (typeof holidays !== "object" || holidays === null || Array.isArray(holidays)) return dates;
  for (const [key, value] of Object.entries(holidays)) {
    const [first = "", last = first] = key.split("..");
    for (let day = first, count = 0; day <= last && count < 400; count += 1) {
      dates.set(day, intervalsText(value) || CLOSED);
      day = dayAfter(day);
      if (day === "") break;
    }
  }
  return dates;
}

/** The way back: dates that follow one another and are alike become a range. */
export function writeDates(dates: ReadonlyMap<string, string>): Tree | undefined {
  const written: Tree = {};
  const days = [...dates.keys()].sort();
  for (let at = 0; at < days.length; ) {
    const first = days[at] ?? "";
    const value = dates.get(first) ?? CLOSED;
    let end = at;
    while (
      end + 1 < days.length &&
      days[end + 1] === dayAfter(days[end] ?? "") &&
      dates.get(days[end + 1] ?? "") === value
    ) {
      end += 1;
    }
    written[end === at ? first : `${first}..${days[end]}`] = value;
    at = end + 1;
  }
  return days.length > 0 ? written : undefined;
}

export function dayAfter(day: string): string {
  const at = Date.parse(`${day}T00:00:00Z`);
  return Number.isNaN(at) ? "" : new Date(at + 86_400_000).toISOString().slice(0, 10);
}

export function monthAfter(month: string, by: number): string {
  const [year = 0, number = 1] = month.split("-").map(Number);
  return new Date(Date.UTC(year, number - 1 + by, 1)).toISOString().slice(0, 7);
}
