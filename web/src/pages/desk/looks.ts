/** How a status looks: never by its colour alone. */
import {
  type IconClock,
  IconCoffee,
  IconHeadset,
  IconPencil,
  IconPhoneCall,
  IconPhoneIncoming,
  IconPower,
} from "@tabler/icons-react";
import type { AgentStatus } from "@/live/board";

export const LOOK: Record<AgentStatus, { colour: string; icon: typeof IconClock }> = {
  available: { colour: "teal", icon: IconHeadset },
  ringing: { colour: "yellow", icon: IconPhoneIncoming },
  talking: { colour: "blue", icon: IconPhoneCall },
  wrap_up: { colour: "grape", icon: IconPencil },
  paused: { colour: "orange", icon: IconCoffee },
  signed_out: { colour: "gray", icon: IconPower },
};
