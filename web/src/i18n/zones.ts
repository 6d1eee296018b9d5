/**
 * Whose clock moments are shown by: the tenant's, wherever his people sit, for his hours of work,
 * days of figures and terms of debts are by that clock; and clocks on the wall in any zone, as a
 * field of date and time has them.
 */

let ours: string | undefined;

/** Of the tenant; the browser's own until somebody is signed in. */
export function zone(): string {
  return ours ?? new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

export function setZone(name: string): void {
  ours = knownZone(name);
}

const clocks = new Map<string, Intl.DateTimeFormat>();

function clockIn(timeZone: string): Intl.DateTimeFormat {
  const made =
    clocks.get(timeZone) ??
    new Intl.DateTimeFormat("en", {
      timeZone,
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
    });
  clocks.set(timeZone, made);
  return made;
}

/** `2026-09-26T19:40`: what that clock shows at a moment. */
export function wallText(at: number, timeZone: string = zone()): string {
  const parts = new Map(
    clockIn(timeZone)
      .formatToParts(at)
      .map((part) => [part.type, part.value]),
  );
  const date = ["year", "month", "day"].map((part) => parts.get(part as "year")).join("-");
  return `${date}T${parts.get("hour")}:${parts.get("minute")}`;
}

/** `2026-09-26`: its day. */
export function dayText(at: number, timeZone: string = zone()): string {
  return wallText(at, timeZone).slice(0, 10);
}

const WALL = /^\d{4,5}-\d\d-\d\dT\d\d:\d\d$/;

/** The moment at which it shows this; NaN when it is no time. */
export function momentOf(wall: string, timeZone: string = zone()): number {
  // Browsers read much else as some date.
  const asUtc = WALL.test(wall) ? Date.parse(`${wall}:00Z`) : Number.NaN;
  let at = asUtc;
  // Twice: the first guess may lie on the other side of a change of the clock.
  for (let round = 0; round < 2 && !Number.isNaN(at); round += 1) {
    at += asUtc - Date.parse(`${wallText(at, timeZone)}:00Z`);
  }
  return at;
}

/** The zone itself, or UTC while a draft has a wrong one. */
export function knownZone(name: unknown): string {
  try {
    if (typeof name !== "string") return "UTC";
    new Intl.DateTimeFormat("en", { timeZone: name });
    return name;
  } catch {
    return "UTC";
  }
}
