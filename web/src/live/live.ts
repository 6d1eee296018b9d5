/** One feed for the whole tab: opened once signed in, opened again whenever it ends. */
import { useEffect, useState } from "react";
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

/** The server's clock, told each second: for rows that count. */
export function useServerNow(everyMs = 1_000): number {
  const aheadMs = useLive((live) => live.aheadMs);
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now + aheadMs;
}
