/** One feed for the whole tab: opened once signed in, opened again whenever it ends. */
import { useSyncExternalStore } from "react";
import { create } from "zustand";
import { type Board, EMPTY, type Message, reduce, type Sections } from "./board";

export type Link = "off" | "connecting" | "open" | "refused";

interface Live {
  board: Board;
  link: Link;
  /** What the server's clock is ahead of ours: waits are counted by its clock. */
  aheadMs: number;
}

const AGAIN_MS = [500, 1_000, 2_000, 5_000];
/** Clocks that differ by more were set anew meanwhile. */
const CLOCK_SET_MS = 2_000;
const UNAUTHORISED = 4401;
const FORBIDDEN = 4403;

export const useLive = create<Live>(() => ({ board: EMPTY, link: "off", aheadMs: 0 }));

export function useSection<Name extends keyof Sections>(name: Name): Sections[Name] {
  return useLive((live) => live.board.sections[name]);
}

let socket: WebSocket | null = null;
let again: ReturnType<typeof setTimeout> | undefined;
let failures = 0;

export function openFeed(): void {
  if (socket !== null || again !== undefined) return;
  connect();
}

export function closeFeed(): void {
  clearTimeout(again);
  again = undefined;
  const open = socket;
  socket = null;
  open?.close();
  useLive.setState({ board: EMPTY, link: "off" });
}

function connect(): void {
  again = undefined;
  const address = new URL("/api/v1/live", window.location.href);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  const mine = new WebSocket(address);
  socket = mine;
  useLive.setState({ link: "connecting" });
  mine.onmessage = (event: MessageEvent<string>) => {
    if (socket === mine) take(mine, JSON.parse(event.data) as Message);
  };
  mine.onclose = (event) => {
    if (socket === mine) reconnect(event.code);
  };
}

function take(mine: WebSocket, message: Message): void {
  const next = reduce(useLive.getState().board, message);
  if (next === null) {
    mine.close();
    return;
  }
  failures = 0;
  useLive.setState({ board: next, link: "open", aheadMs: ahead(message) });
}

/** A snapshot may be as old as its last change; of the deltas the least delayed tells best. */
function ahead(message: Message): number {
  const known = useLive.getState().aheadMs;
  if (message.type === "snapshot") return known;
  const told = message.at - Date.now();
  return Math.abs(told - known) > CLOCK_SET_MS ? told : Math.max(told, known);
}

function reconnect(code: number): void {
  socket = null;
  if (code === UNAUTHORISED || code === FORBIDDEN) {
    useLive.setState({ link: "refused" });
    return;
  }
  useLive.setState({ link: "connecting" });
  const wait = AGAIN_MS[Math.min(failures, AGAIN_MS.length - 1)] ?? 0;
  failures += 1;
  again = setTimeout(connect, wait * (0.75 + Math.random() / 2));
}

/** One timer for all that count, however many: they change in the same moment, and in one go. */
const counting = new Set<() => void>();
let counted = Date.now();
let timer: ReturnType<typeof setInterval> | undefined;
const SECOND_MS = 1_000;

function count(told: () => void): () => void {
  counting.add(told);
  timer ??= setInterval(() => {
    counted = Date.now();
    for (const each of counting) each();
  }, SECOND_MS);
  return () => {
    counting.delete(told);
    if (counting.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

/** Nobody counted for a while: the moment is old. */
function lastCounted(): number {
  if (timer === undefined && Date.now() - counted > SECOND_MS) counted = Date.now();
  return counted;
}

/** The server's clock, told each second: for rows that count. */
export function useServerNow(): number {
  const aheadMs = useLive((live) => live.aheadMs);
  return useSyncExternalStore(count, lastCounted) + aheadMs;
}
