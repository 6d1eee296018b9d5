/** Saving what a call came to, by hand or because its time is over. */
import { writeResult } from "@/api/generated/sdk.gen";
import { momentOf } from "@/i18n/zones";
import { attempt } from "./acts";
import { changeDraft, EMPTY_DRAFT, isUnsaved, useDrafts } from "./drafts";
import { goReady } from "./ready";
import { type AtDesk, refreshLists } from "./use-desk";

export async function save(call: string): Promise<boolean> {
  const draft = useDrafts.getState().drafts[call];
  if (draft === undefined || draft.result === null) return false;
  const { result, tags, comment } = draft;
  const next = momentOf(draft.next);
  const body = { result, tags, comment, next_at: Number.isNaN(next) ? null : next };
  const done = await attempt(() => writeResult({ path: { call }, body, throwOnError: true }));
  if (done) {
    changeDraft(call, { saved: true });
    refreshLists();
  }
  return done;
}

export async function finish(at: AtDesk, id: string | null): Promise<void> {
  if (id !== null && isUnsaved(useDrafts.getState().drafts[id] ?? EMPTY_DRAFT)) await save(id);
  await goReady(at);
}
