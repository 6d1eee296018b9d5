/** The desk as one value: who I am there, what goes on, and what was remembered of it. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState } from "react";
import { readDeskOptions } from "@/api/generated/@tanstack/react-query.gen";
import type { Desk, QueueAtDesk } from "@/api/generated/types.gen";
import { queries } from "@/app/queries";
import { useSection } from "@/live/live";
import type { Phone, PhoneView } from "@/phone/phone";
import { acts, attempt } from "./acts";
import { type DeskCall, type DeskState, deskOf, wantsRejoin } from "./model";
import { useOtherTab } from "./tabs";
import { obtainPhone, usePhone, wasOnShift } from "./use-phone";

export interface AtDesk extends DeskState {
  desk: Desk;
  /** He answers in the browser; else the telephone is elsewhere. */
  inBrowser: boolean;
  phone: Phone | null;
  view: PhoneView;
  queue: QueueAtDesk | undefined;
  /** Another tab of this browser has the telephone. */
  inOtherTab: boolean;
}

const LISTS = new Set(["readMyCalls", "readMyMissed", "readNext", "readPerson"]);

export function useDesk(): { at: AtDesk | null; error: unknown; again: () => void } {
  const {
    data: desk,
    error,
    refetch,
  } = useQuery({
    ...readDeskOptions(),
    placeholderData: keepPreviousData,
  });
  const { phone, view } = usePhone();
  const otherHas = useOtherTab((other) => other.hasPhone);
  const agents = useSection("agents");
  const waiting = useSection("waiting");
  const talking = useSection("talking");
  const known = useRef<DeskCall | null>(null);
  const state = deskOf(desk?.agent ?? "", { agents, waiting, talking }, view.call, known.current);
  useEffect(() => {
    if (state.call !== null) known.current = state.call;
  });
  const inBrowser = (agents[desk?.agent ?? ""]?.device ?? desk?.device) === "webrtc";
  useTelephone(inBrowser);
  const owed = useOwed(desk?.agent);
  useListsUpToDate(`${state.call?.id}/${state.call?.stage}/${owed}`);
  useRejoin(state, view);
  if (desk === undefined) return { at: null, error, again: () => void refetch() };
  const inOtherTab = otherHas && (view.state === "off" || view.state === "elsewhere");
  const queue = desk.queues.find((one) => one.id === state.call?.queue);
  return {
    at: { ...state, desk, inBrowser, phone, view, queue, inOtherTab },
    error: null,
    again: () => {},
  };
}

export function refreshLists(): void {
  void queries.invalidateQueries({
    predicate: ({ queryKey }) => LISTS.has((queryKey[0] as { _id?: string })?._id ?? ""),
  });
}

/** Loaded anew in the middle of a shift: the telephone is back without a click. */
function useTelephone(inBrowser: boolean): void {
  useEffect(() => {
    if (!inBrowser) return;
    void obtainPhone().then((phone) => {
      if (wasOnShift() && phone.view.state === "off") void phone.start();
    });
  }, [inBrowser]);
}

/** How many I owe, as the board knows it at once. */
function useOwed(me: string | undefined): number {
  const debts = useSection("debts");
  return useMemo(() => Object.values(debts).filter((row) => row.owner === me).length, [debts, me]);
}

/** What a call came to is in the lists a moment after its stage has changed. */
function useListsUpToDate(stage: string): void {
  // biome-ignore lint/correctness/useExhaustiveDependencies: the stage is what it waits for
  useEffect(() => {
    const timer = setTimeout(refreshLists, 1_500);
    return () => clearTimeout(timer);
  }, [stage]);
}

const REJOIN_AGAIN_MS = 5_000;

function useRejoin(state: DeskState, view: PhoneView): void {
  const wanted = wantsRejoin(state, { ready: view.state === "ready", heard: view.call });
  const call = state.call?.id ?? null;
  const [tries, setTries] = useState(0);
  useEffect(() => {
    if (!wanted || call === null) return;
    // Not at once: an answer that was just given is heard here before the board is told.
    const timer = setTimeout(
      async () => {
        await attempt(() => acts.rejoin(call));
        setTries(tries + 1);
      },
      tries === 0 ? 1_000 : REJOIN_AGAIN_MS,
    );
    return () => clearTimeout(timer);
  }, [wanted, call, tries]);
}
