import { acts, attempt } from "./acts";
import type { AtDesk } from "./use-desk";
import { obtainPhone, rememberShift } from "./use-phone";

/** Ready to answer; false: the telephone of this page would not ring. */
export async function goReady({ desk, inBrowser, inOtherTab }: AtDesk): Promise<boolean> {
  if (inBrowser && !inOtherTab) {
    const phone = await obtainPhone();
    if (phone.view.state === "off" || phone.view.problem !== null) await phone.start();
    // Whose microphone is refused would be rung in vain.
    if (phone.view.problem !== null) return false;
    rememberShift(true);
  }
  return attempt(() => acts.status(desk.agent, "available"));
}
