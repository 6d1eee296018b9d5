/** Who is signed in. The cookie is the server's, and no script can read it. */
import { create } from "zustand";
import { client } from "@/api/client";
import { setZone } from "@/i18n/zones";

export type Role =
  | "owner"
  | "admin"
  | "supervisor"
  | "controller"
  | "agent"
  | "viewer"
  | "integrator";

export interface Me {
  name: string;
  login: string;
  role: Role;
  permissions: string[];
  agent: string | null;
  language: "ru" | "en" | null;
  /** Of the tenant. */
  zone: string;
  must_change_password: boolean;
}

interface Session {
  /** undefined: not asked yet; null: nobody. */
  me: Me | null | undefined;
}

export const useSession = create<Session>(() => ({ me: undefined }));

/** Ask the server. Throws when it cannot be reached: that is not "nobody". */
export async function whoAmI(): Promise<Me | null> {
  const reply = await client.get<{ 200: Me }, unknown, false>({ url: "/api/v1/auth" });
  if (reply.data === undefined && reply.response?.status !== 401) {
    throw reply.error ?? new Error("the server does not answer");
  }
  const me = reply.data ?? null;
  if (me !== null) setZone(me.zone);
  useSession.setState({ me });
  return me;
}

export function may(permission: string, me = useSession.getState().me): boolean {
  return me?.permissions.includes(permission) ?? false;
}
