/** Where a call stands, by icon, colour and words. */
import { Group, Text } from "@mantine/core";
import {
  IconArrowBackUp,
  IconCircleOff,
  IconPhoneCall,
  IconPhoneCheck,
  IconPhoneIncoming,
  IconPhoneOff,
  IconPhoneOutgoing,
  IconPhoneX,
} from "@tabler/icons-react";
import type { Call } from "@/api/generated";
import { strings } from "@/i18n/strings";
import en from "./en.json";
import ru from "./ru.json";

export const words = strings("call-state", { en, ru });

/** In the ledger. */
export type CallState = Call["state"];

export const CALL_STATES = [
  "in_progress",
  "answered",
  "open",
  "recovered",
  "reached_us",
  "waived",
] as const satisfies readonly CallState[];

/** Of a call that we made: what became of it. */
export type Standing = CallState | "dialled" | "talked" | "not_reached";

const LOOKS = {
  in_progress: { colour: "cyan", icon: IconPhoneCall },
  answered: { colour: "teal", icon: IconPhoneCheck },
  recovered: { colour: "blue", icon: IconArrowBackUp },
  reached_us: { colour: "green", icon: IconPhoneIncoming },
  waived: { colour: "gray", icon: IconCircleOff },
  open: { colour: "red", icon: IconPhoneX },
  dialled: { colour: "cyan", icon: IconPhoneOutgoing },
  talked: { colour: "teal", icon: IconPhoneCheck },
  not_reached: { colour: "orange", icon: IconPhoneOff },
} as const satisfies Record<Standing, { colour: string; icon: typeof IconPhoneX }>;

/** Of an attempt or of a call that was dialled by hand. */
export function standingOf(outcome: string | null): Standing {
  if (outcome === null) return "dialled";
  return outcome === "reached" ? "talked" : "not_reached";
}

/** The stripe at a row's beginning. */
export function standingMark(standing: Standing): string {
  return `var(--mantine-color-${LOOKS[standing].colour}-filled)`;
}

export function standingColour(standing: Standing): string {
  return LOOKS[standing].colour;
}

export function StandingIcon({ standing, size = 18 }: { standing: Standing; size?: number }) {
  const Icon = LOOKS[standing].icon;
  return (
    <Icon
      size={size}
      aria-hidden
      color={`var(--mantine-color-${LOOKS[standing].colour}-text)`}
      style={{ flexShrink: 0 }}
    />
  );
}

export function CallStanding({
  standing,
  size = "sm",
}: {
  standing: Standing;
  size?: "sm" | "md";
}) {
  const t = words.use();
  return (
    <Group gap={6} wrap="nowrap">
      <StandingIcon standing={standing} size={size === "md" ? 22 : 18} />
      <Text size={size} fw={600} truncate>
        {t(standing)}
      </Text>
    </Group>
  );
}
