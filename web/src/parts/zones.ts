/** The clock on the wall in another time zone, as a field of date and time has it. */

/** `2026-09-26T19:40`: what that clock shows at a moment. */
export function wallText(at: number, zone: string): string {
  const parts = new Map(
    new Intl.DateTimeFormat("en", {
      timeZone: zone,
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
    })
      .formatToParts(at)
      .map((part) => [part.type, part.value]),
  );
  const date = ["year", "month", "day"].map((part) => parts.get(part as "year")).join("-");
  return `${date}T${parts.get("hour")}:${parts.get("minute")}`;
}

const WALL = /^\d{4,5}-\d\d-\d\dT\d\d:\d\d$/;

/** The moment at which it shows this; NaN when it is no time. */
export function momentOf(wall: string, zone: string): number {
  // Browsers read much else as some date.
  const asUtc = WALL.test(wall) ? Date.parse(`${wall}:00Z`) : Number.NaN;
  let at = asUtc;
  // Twice: the first guess may lie on the other side of a change of the clock.
  for (let round = 0; round < 2 && !Number.isNaN(at); round += 1) {
    at += asUtc - Date.parse(`${wallText(at, zone)}:00Z`);
  }
  return at;
}

/** The zone itself, or UTC while a draft has a wrong one. */
export function knownZone(zone: unknown): string {
  try {
    if (typeof zone !== "string") return "UTC";
    new Intl.DateTimeFormat("en", { timeZone: zone });
    return zone;
  } catch {
    return "UTC";
  }
}
