/** What an agent does, as requests; and how a refusal is told to him in words. */
import { notifications } from "@mantine/notifications";
import { problem } from "@/api/client";
import {
  askForCallback,
  cancelTransfer,
  chooseDevice,
  chooseStatus,
  completeTransfer,
  dial,
  rejoinCall,
  transferCall,
} from "@/api/generated/sdk.gen";
import type { ChosenStatus, DeviceKind } from "@/api/generated/types.gen";
import { useSession } from "@/app/session";
import { wordFor, words } from "./words";

export interface Target {
  to_agent?: string;
  to_queue?: string;
  to_number?: string;
}

export const acts = {
  status: (agent: string, status: ChosenStatus, reason = "") =>
    chooseStatus({ path: { agent }, body: { status, reason }, throwOnError: true }),
  dial: (number: string) => dial({ body: { agent: whoAmIThere(), number }, throwOnError: true }),
  callBack: (debt: string) => askForCallback({ path: { debt }, throwOnError: true }),
  device: (agent: string, device: DeviceKind) =>
    chooseDevice({ path: { agent }, body: { device }, throwOnError: true }),
  transfer: (call: string, target: Target, attended: boolean) =>
    transferCall({
      path: { call },
      body: { ...target, agent: whoAmIThere(), attended },
      throwOnError: true,
    }),
  completeTransfer: (call: string) => completeTransfer({ path: { call }, throwOnError: true }),
  cancelTransfer: (call: string) => cancelTransfer({ path: { call }, throwOnError: true }),
  rejoin: (call: string) =>
    rejoinCall({ path: { call }, body: { agent: whoAmIThere() }, throwOnError: true }),
};

/** Who is no agent is refused by the server. */
function whoAmIThere(): string {
  return useSession.getState().me?.agent ?? "-";
}

export function refusal(error: unknown): string {
  const said = problem(error);
  if (said === null) return words.say("refused_away");
  return wordFor(words.say, `refused_${said.code}`, said.message);
}

/** Do it, and say so if it was refused. True: it was done. */
export async function attempt(act: () => Promise<unknown>): Promise<boolean> {
  try {
    await act();
    return true;
  } catch (error) {
    notifications.show({ color: "red", message: refusal(error), autoClose: 8_000 });
    return false;
  }
}
