/** Lengths of time as the plan file writes them (`10s`, `1h30m`, seconds), for forms. */

import { strings } from "@/i18n/strings";

export const UNITS = ["ms", "s", "m", "h", "d"] as const;
export type Unit = (typeof UNITS)[number];

const SIZE: Record<Unit, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const PART = /(\d{1,12})(ms|s|m|h|d)/g;
const WHOLE = /^(?:\d{1,12}(?:ms|s|m|h|d))+$/;

/** Milliseconds; null when it is no length. A bare number is seconds. */
export function parseLength(written: unknown): number | null {
  if (typeof written === "number") {
    return Number.isInteger(written) && written >= 0 ? written * SIZE.s : null;
  }
  if (typeof written !== "string") return null;
  const text = written.trim();
  if (/^\d{1,12}$/.test(text)) return Number(text) * SIZE.s;
  if (!WHOLE.test(text)) return null;
  let length = 0;
  for (const [, count, unit] of text.matchAll(PART)) length += Number(count) * SIZE[unit as Unit];
  return length;
}

/** The largest unit of which it is a whole number: 90 s stay seconds, 120 s are 2 minutes. */
export function inUnit(lengthMs: number): { count: number; unit: Unit } {
  if (lengthMs === 0) return { count: 0, unit: "s" };
  const unit = [...UNITS].reverse().find((each) => lengthMs % SIZE[each] === 0) ?? "ms";
  return { count: lengthMs / SIZE[unit], unit };
}

export function writeLength(count: number, unit: Unit): string {
  return `${Math.max(0, Math.round(count))}${unit}`;
}

const WORDS = strings("length-units", {
  en: { ms: "ms", s: "s", m: "min", h: "h", d: "d" },
  ru: { ms: "мс", s: "с", m: "мин", h: "ч", d: "дн." },
});

/** `1h30m` as "1 h 30 min", in the chosen language; what is no length stays. */
export function lengthText(written: unknown): string {
  const length = parseLength(written);
  if (length === null) return String(written ?? "");
  if (length === 0) return `0 ${WORDS.say("s")}`;
  let left = length;
  const parts: string[] = [];
  for (const unit of [...UNITS].reverse()) {
    const count = Math.floor(left / SIZE[unit]);
    if (count > 0) parts.push(`${count} ${WORDS.say(unit)}`);
    left -= count * SIZE[unit];
  }
  return parts.join(" ");
}
