/** What we know of whom a call is with: of the board at once, of the card a moment later. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import {
  readCallOptions,
  readMyCallsOptions,
  readPersonOptions,
} from "@/api/generated/@tanstack/react-query.gen";
import type { Card } from "@/api/generated/types.gen";
import type { DeskCall } from "./model";
import type { AtDesk } from "./use-desk";

export interface Known {
  card: Card | null;
  person: string | null;
  number: string;
  name: string;
  /** Which of our numbers he called. */
  did: string | null;
  owed: boolean;
  owedCalls: number;
}

/** That a call rings me is in the store a moment after it is on the board. */
const SOON = { retry: 5, retryDelay: 600, placeholderData: keepPreviousData } as const;

export function useKnown(_at: AtDesk, call: DeskCall): Known {
  // A call-back is known by its debt: its id has a slash.
  const inbound = call.id !== null && !call.outgoing && !call.id.includes("/");
  const { data: row } = useQuery({
    ...readCallOptions({ path: { call: call.id ?? "" } }),
    ...SOON,
    enabled: inbound,
  });
  // After a reload in the wrap-up the board has no more than the call's id.
  const lonely = call.person === null && call.id !== null;
  const { data: mine } = useQuery({ ...readMyCallsOptions(), enabled: lonely });
  const past = lonely ? mine?.items.find((one) => one.call === call.id) : undefined;
  const told = row?.id === call.id ? row : undefined;
  const person = call.person ?? told?.person ?? past?.person ?? null;
  const { data } = useQuery({
    ...readPersonOptions({ path: { person: person ?? "" }, query: { limit: 20 } }),
    ...SOON,
    enabled: person !== null,
  });
  const card = data?.person === person ? data : null;
  return {
    card,
    person,
    number: call.number || card?.number || told?.number || past?.number || "",
    name: call.name || card?.name || told?.name || past?.name || "",
    did: told?.did ?? past?.did ?? null,
    owed: card?.debt != null,
    owedCalls: card?.debt?.calls ?? 0,
  };
}
