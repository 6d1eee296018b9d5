/** What an agent does, as requests; and how a refusal is told to him in words. */
import { notifications } from "@mantine/notifications";
import { client, problem } from "@/api/client";
import { askForCallback, chooseStatus } from "@/api/generated/sdk.gen";
import type { ChosenStatus } from "@/api/generated/types.gen";
import { wordFor, words } from "./words";

export interface Target {
  to_agent?: string;
  to_queue?: string;
  to_number?: string;
}

/** Ids of call-backs have a slash in them. */
const callUrl = (call: string) => `/api/v1/calls/${encodeURIComponent(call)}`;

export const acts = {
  status: (agent: string, status: ChosenStatus, reason = "") =>
    chooseStatus({ path: { agent }, body: { status, reason }, throwOnError: true }),
  dial: (number: string) =>
    client.post({ url: "/api/v1/calls", body: { number }, throwOnError: true }),
  callBack: (debt: string) => askForCallback({ path: { debt }, throwOnError: true }),
  device: (agent: string, device: string) =>
    client.put({
      url: `/api/v1/agents/${encodeURIComponent(agent)}/device`,
      body: { device },
      throwOnError: true,
    }),
  transfer: (call: string, target: Target, attended: boolean) =>
    client.post({
      url: `${callUrl(call)}/transfer`,
      body: { ...target, attended },
      throwOnError: true,
    }),
  completeTransfer: (call: string) =>
    client.post({ url: `${callUrl(call)}/transfer/completion`, throwOnError: true }),
  cancelTransfer: (call: string) =>
    client.delete({ url: `${callUrl(call)}/transfer`, throwOnError: true }),
  rejoin: (call: string) => client.post({ url: `${callUrl(call)}/rejoin`, throwOnError: true }),
};

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
