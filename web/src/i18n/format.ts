/**
 * Moments are milliseconds since 1970, lengths are milliseconds; text is in the chosen language
 * and by the tenant's clock. The day has 24 hours in each language: hours of work, the timeline and
 * the plan are written so.
 */
import { i18n } from "./i18n";
import { dayText, zone } from "./zones";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** `0:07`, `12:05`, `1:02:03`: how long something has lasted. Never negative. */
export function clock(lengthMs: number): string {
  const seconds = Math.max(0, Math.floor(lengthMs / SECOND));
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const tail = `${h > 0 ? String(m).padStart(2, "0") : m}:${String(s).padStart(2, "0")}`;
  return h > 0 ? `${h}:${tail}` : tail;
}

/** Time of day, with the date when it is not today's. */
export function moment(at: number, now: number = Date.now()): string {
  const sameDay = dayText(at) === dayText(now);
  return new Intl.DateTimeFormat(i18n.language, {
    ...(sameDay ? {} : { day: "numeric", month: "short" }),
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
    timeZone: zone(),
  }).format(at);
}

/** Date, time and seconds: for a timeline or a tooltip. */
export function fullMoment(at: number): string {
  return new Intl.DateTimeFormat(i18n.language, {
    dateStyle: "medium",
    timeStyle: "medium",
    hourCycle: "h23",
    timeZone: zone(),
  }).format(at);
}

/** "in 5 minutes", "3 hours ago". */
export function relative(at: number, now: number): string {
  const away = at - now;
  const told = new Intl.RelativeTimeFormat(i18n.language, { numeric: "auto", style: "short" });
  const size = Math.abs(away);
  if (size < MINUTE) return told.format(Math.round(away / SECOND), "second");
  if (size < HOUR) return told.format(Math.round(away / MINUTE), "minute");
  if (size < DAY) return told.format(Math.round(away / HOUR), "hour");
  return told.format(Math.round(away / DAY), "day");
}

export function whole(value: number): string {
  return new Intl.NumberFormat(i18n.language).format(value);
}

export function percent(share: number): string {
  return new Intl.NumberFormat(i18n.language, {
    style: "percent",
    maximumFractionDigits: 1,
  }).format(share);
}

/** `79161234567` as people write it: +7 916 123-45-67. Others, and masks, stay as they are. */
export function phoneNumber(number: string | null | undefined): string {
  if (!number) return "";
  const found = /^\+?7(\d{3})(\d{3})(\d{2})(\d{2})$/.exec(number);
  return found ? `+7 ${found[1]} ${found[2]}-${found[3]}-${found[4]}` : number;
}
