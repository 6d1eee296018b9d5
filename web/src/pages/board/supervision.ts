/** To whose talk I listen: asked of the server, and kept here until it is over. */
import { create } from "zustand";
import { client } from "@/api/client";

export const MODES = ["listen", "whisper", "barge"] as const;
export type Mode = (typeof MODES)[number];

interface Supervision {
  call: string;
  mode: Mode;
  /** With whom the talk is. */
  name: string;
}

export const useSupervision = create<{ mine: Supervision | null }>(() => ({ mine: null }));

const PLACE = "/api/v1/calls/{call}/supervision";

export async function supervise(mine: Supervision): Promise<void> {
  await client.put({
    url: PLACE,
    path: { call: mine.call },
    body: { mode: mine.mode },
    headers: { "Content-Type": "application/json" },
    throwOnError: true,
  });
  useSupervision.setState({ mine });
}

export async function endSupervision(): Promise<void> {
  const { mine } = useSupervision.getState();
  if (mine === null) return;
  useSupervision.setState({ mine: null });
  await client.delete({ url: PLACE, path: { call: mine.call }, throwOnError: true });
}
