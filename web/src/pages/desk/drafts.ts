/** Results that are being written, by call: kept over a reload, for a call goes on meanwhile. */
import { create } from "zustand";

export interface Draft {
  result: string | null;
  tags: string[];
  comment: string;
  /** As the field has it: by the tenant's clock, `2026-11-22T15:30`. */
  next: string;
  saved: boolean;
}

export const EMPTY_DRAFT: Draft = { result: null, tags: [], comment: "", next: "", saved: false };

const KEY = "perezvon.drafts";
const KEPT_MAX = 5;

type Drafts = Readonly<Record<string, Draft>>;

/** With this change; the oldest are forgotten. */
export function changed(drafts: Drafts, call: string, change: Partial<Draft>): Drafts {
  const { [call]: before = EMPTY_DRAFT, ...others } = drafts;
  const kept = Object.entries(others).slice(1 - KEPT_MAX);
  return { ...Object.fromEntries(kept), [call]: { ...before, saved: false, ...change } };
}

/** Something is written that would be a pity to lose. */
export function isUnsaved(draft: Draft): boolean {
  return !draft.saved && draft.result !== null;
}

export const useDrafts = create<{ drafts: Drafts }>(() => ({ drafts: remembered() }));

export function changeDraft(call: string, change: Partial<Draft>): void {
  const drafts = changed(useDrafts.getState().drafts, call, change);
  useDrafts.setState({ drafts });
  sessionStorage.setItem(KEY, JSON.stringify(drafts));
}

function remembered(): Drafts {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? "{}") as Drafts;
  } catch {
    return {};
  }
}
