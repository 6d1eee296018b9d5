/** Which tab of this browser has the telephone: each is asked, and the one that has it says so. */
import { create } from "zustand";

type Word = "who" | "mine" | "free";

const channel =
  typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel("perezvon.phone");

/** Whether another tab has it. */
export const useOtherTab = create<{ hasPhone: boolean }>(() => ({ hasPhone: false }));

let isMine = false;

channel?.addEventListener("message", ({ data }: MessageEvent<Word>) => {
  if (data === "who" && isMine) say("mine");
  if (data === "mine") useOtherTab.setState({ hasPhone: true });
  if (data === "free") useOtherTab.setState({ hasPhone: false });
});
say("who");
globalThis.addEventListener?.("pagehide", () => {
  if (isMine) say("free");
});

/** The telephone of this tab is on, or not any more. */
export function tellTabs(mine: boolean): void {
  if (mine === isMine) return;
  isMine = mine;
  if (mine) useOtherTab.setState({ hasPhone: false });
  say(mine ? "mine" : "free");
}

function say(word: Word): void {
  channel?.postMessage(word);
}
