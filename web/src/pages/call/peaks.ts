/** What a recording looks and sounds like, by how loud its parts are. Pure. */

/** Quieter than this (of 255) is no speech: noise of the line. */
const SPEECH = 12;
/** Who speaks takes a breath. */
const PAUSE_PARTS_MIN = 3;
const FULL_MIN = 40;

export interface Loudness {
  agent: readonly number[];
  client: readonly number[];
}

export function partsOf({ agent, client }: Loudness): number {
  return Math.max(agent.length, client.length);
}

/** Where speech begins next: after the silence we are in, or after the next one. In shares of all. */
export function nextSpeech(peaks: Loudness, fromShare: number): number | null {
  const count = partsOf(peaks);
  let quiet = 0;
  const first = Math.max(0, Math.floor(fromShare * count));
  for (let part = first; part < count; part += 1) {
    if (isSpeech(peaks, part)) {
      if (quiet >= PAUSE_PARTS_MIN) return part / count;
      quiet = 0;
    } else {
      quiet += part === first ? PAUSE_PARTS_MIN : 1;
    }
  }
  return null;
}

function isSpeech({ agent, client }: Loudness, part: number): boolean {
  return Math.max(agent[part] ?? 0, client[part] ?? 0) >= SPEECH;
}

/** What loudness fills the drawing: a quiet talk is drawn larger, the noise of a line is not. */
export function fullOf({ agent, client }: Loudness): number {
  return Math.max(FULL_MIN, ...agent, ...client) / 255;
}

/** How loud each side is in one of `columns` columns of a drawing, 0 to 1. */
export function columnOf(side: readonly number[], column: number, columns: number): number {
  const from = Math.floor((column * side.length) / columns);
  const to = Math.max(from + 1, Math.floor(((column + 1) * side.length) / columns));
  let loudest = 0;
  for (let part = from; part < to && part < side.length; part += 1) {
    loudest = Math.max(loudest, side[part] ?? 0);
  }
  return loudest / 255;
}

/** How loud the two sides are at a balance from -1 (agent alone) to 1 (client alone). */
export function gainsOf(balance: number): { agent: number; client: number } {
  return { agent: Math.min(1, 1 - balance), client: Math.min(1, 1 + balance) };
}
