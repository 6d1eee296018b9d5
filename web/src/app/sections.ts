/** The sections of the menu: where each is, and who sees it (permissions of `api/roles.py`). */
import {
  IconDeviceDesktopAnalytics,
  IconHeadset,
  IconPhone,
  IconPhoneIncoming,
  IconSettings,
} from "@tabler/icons-react";
import { type Me, may } from "./session";

export const SECTIONS = [
  { name: "desk", to: "/desk", icon: IconHeadset, needs: "phone.use" },
  { name: "board", to: "/board", icon: IconDeviceDesktopAnalytics, needs: "board.see" },
  { name: "missed", to: "/missed", icon: IconPhoneIncoming, needs: "debts.see" },
  { name: "calls", to: "/calls", icon: IconPhone, needs: "calls.see" },
  { name: "admin", to: "/admin", icon: IconSettings, needs: "plan.see" },
] as const;

export type Section = (typeof SECTIONS)[number];

export function visible(me: Me | null | undefined): Section[] {
  return SECTIONS.filter((section) => may(section.needs, me ?? null));
}
