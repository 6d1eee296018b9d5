/**
 * The tab's one telephone. It outlives the page: who looks something up goes on talking.
 *
 * Its library is loaded by whoever needs it first, not by who only looks at a list.
 */
import { useSyncExternalStore } from "react";
import { create } from "zustand";
import { client } from "@/api/client";
import { OFF, type Phone, type PhoneView } from "@/phone/phone";
import type { Credentials, PhoneApi } from "@/phone/sip";
import { tellTabs } from "./tabs";

const ON_SHIFT = "perezvon.on_shift";

const useHolder = create<{ phone: Phone | null }>(() => ({ phone: null }));

const api: PhoneApi = {
  async credentials() {
    const { data, error, response } = await client.post<{ 200: Credentials }, unknown, false>({
      url: "/api/v1/phone/credentials",
    });
    if (data !== undefined) return data;
    if (response !== undefined && response.status < 500) return null;
    throw error ?? new Error("no credentials");
  },
  async iceServers() {
    const { data } = await client.get<{ 200: { servers: RTCIceServer[] } }, unknown, false>({
      url: "/api/v1/phone/ice",
    });
    return data?.servers ?? [];
  },
};

/** States in which this tab has the telephone. */
const HERE = new Set(["connecting", "ready", "reconnecting"]);

let making: Promise<Phone> | null = null;

export function obtainPhone(): Promise<Phone> {
  making ??= import("@/phone/sip").then(({ SipPhone }) => {
    const phone = new SipPhone(api);
    useHolder.setState({ phone });
    phone.subscribe(() => {
      tellTabs(HERE.has(phone.view.state));
      showWhoRings(phone);
    });
    return phone;
  });
  return making;
}

const REGISTERED_WITHIN_MS = 10_000;

/** This tab's telephone, brought up if it was off; false: it would not ring. */
export async function bringUpPhone(): Promise<boolean> {
  const phone = await obtainPhone();
  if (phone.view.state === "off" || phone.view.problem !== null) await phone.start();
  const settled = () => phone.view.problem !== null || SETTLED.has(phone.view.state);
  if (!settled()) await changed(phone, settled);
  return phone.view.state === "ready" && phone.view.problem === null;
}

const SETTLED = new Set(["ready", "refused"]);

function changed(phone: Phone, settled: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      stop();
      resolve();
    };
    const timer = setTimeout(done, REGISTERED_WITHIN_MS);
    const stop = phone.subscribe(() => {
      if (settled()) done();
    });
  });
}

/** Whoever looks something up elsewhere sees at once who rings. */
function showWhoRings(phone: Phone): void {
  if (phone.view.call?.state !== "ringing" || location.pathname === "/desk") return;
  void import("@/app/routes").then(({ router }) => router.navigate({ to: "/desk" }));
}

/** For tests: this one instead. */
export function usePhoneInstead(phone: Phone): void {
  making = Promise.resolve(phone);
  useHolder.setState({ phone });
}

const never = () => () => {};

export function usePhone(): { phone: Phone | null; view: PhoneView } {
  const phone = useHolder((holder) => holder.phone);
  const view = useSyncExternalStore(phone?.subscribe ?? never, () => phone?.view ?? OFF);
  return { phone, view };
}

/** Whether this tab had its telephone before it was loaded anew. */
export function wasOnShift(): boolean {
  return sessionStorage.getItem(ON_SHIFT) === "1";
}

export function rememberShift(isOn: boolean): void {
  if (isOn) sessionStorage.setItem(ON_SHIFT, "1");
  else sessionStorage.removeItem(ON_SHIFT);
}
