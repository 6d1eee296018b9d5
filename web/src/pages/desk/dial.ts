/** Numbers as people paste them. The server has the last word; this is for what can be seen here. */

const DIGITS_MIN = 3;
const DIGITS_MAX = 15;
const EXTENSION = /(?:доб|ext|x|#|;ext=)\.?\s*\d+.*$/i;
/** Spaces of all kinds, hyphens, dashes, dots, slashes, brackets, and marks that nobody sees. */
const BETWEEN = /[\s().\-/\u2010-\u2015\u00a0\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g;

/** `8 (916) 123-45-67` is `+79161234567`. Null: it is no number. */
export function readNumber(pasted: string): string | null {
  const bare = pasted
    .trim()
    .replace(/^(?:tel|callto|sip):/i, "")
    .replace(/@.*$/, "")
    .replace(EXTENSION, "")
    .replace(BETWEEN, "");
  if (!/^\+?\d+$/.test(bare)) return null;
  const digits = bare.replace("+", "");
  if (digits.length < DIGITS_MIN || digits.length > DIGITS_MAX) return null;
  if (bare.startsWith("+")) return bare;
  if (digits.startsWith("00") && digits.length > 8) return `+${digits.slice(2)}`;
  if (digits.startsWith("810") && digits.length > 11) return `+${digits.slice(3)}`;
  if (digits.length === 11 && /^[78]/.test(digits)) return `+7${digits.slice(1)}`;
  return digits.length === 10 && /^[3489]/.test(digits) ? `+7${digits}` : digits;
}
