/** What a missed call met with: the colours that supervisors know, each with its icon and words. */
import { Group, Text } from "@mantine/core";
import {
  IconCalendarCheck,
  IconCircleOff,
  IconPhoneCheck,
  IconPhoneIncoming,
  IconPhoneOff,
  IconPhoneOutgoing,
  IconPhoneX,
} from "@tabler/icons-react";
import type { Reaction } from "@/api/generated";
import { words } from "./words";

export const REACTIONS = [
  "nobody",
  "tried",
  "reached_us",
  "soon",
  "same_day",
  "late",
  "waived",
] as const satisfies readonly Reaction[];

const LOOKS = {
  nobody: { colour: "red", icon: IconPhoneX },
  tried: { colour: "orange", icon: IconPhoneOutgoing },
  reached_us: { colour: "green", icon: IconPhoneIncoming },
  soon: { colour: "blue", icon: IconPhoneCheck },
  same_day: { colour: "violet", icon: IconCalendarCheck },
  late: { colour: "pink", icon: IconPhoneOff },
  waived: { colour: "gray", icon: IconCircleOff },
} as const satisfies Record<Reaction, { colour: string; icon: typeof IconPhoneX }>;

/** The stripe at a row's beginning. */
export function reactionMark(reaction: Reaction): string {
  return `var(--mantine-color-${LOOKS[reaction].colour}-filled)`;
}

export function reactionColour(reaction: Reaction): string {
  return LOOKS[reaction].colour;
}

export function ReactionIcon({ reaction, size = 18 }: { reaction: Reaction; size?: number }) {
  const Icon = LOOKS[reaction].icon;
  return (
    <Icon
      size={size}
      aria-hidden
      color={`var(--mantine-color-${LOOKS[reaction].colour}-text)`}
      style={{ flexShrink: 0 }}
    />
  );
}

export function ReactionBadge({ reaction }: { reaction: Reaction }) {
  const t = words.use();
  return (
    <Group gap={6} wrap="nowrap">
      <ReactionIcon reaction={reaction} />
      <Text size="sm" fw={600} truncate>
        {t(reaction)}
      </Text>
    </Group>
  );
}
