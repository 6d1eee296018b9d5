/** How loud both sides are. */
import { Group, Progress, Text } from "@mantine/core";
import { useEffect, useState } from "react";
import type { Levels, Phone } from "@/phone/phone";
import { words } from "./words";

export function Meters({ phone }: { phone: Phone | null }) {
  const t = words.use();
  const levels = useLevels(phone);
  return (
    <Group gap="lg" grow>
      {(["microphone", "speaker"] as const).map((kind) => (
        <Group key={kind} gap="xs" wrap="nowrap">
          <Text size="xs" c="dimmed">
            {t(kind)}
          </Text>
          <Progress.Root flex={1} size="sm">
            <Progress.Section
              value={Math.round(levels[kind] * 100)}
              color="teal"
              aria-label={t(`${kind}_level`)}
            />
          </Progress.Root>
        </Group>
      ))}
    </Group>
  );
}

function useLevels(phone: Phone | null): Levels {
  const [levels, setLevels] = useState<Levels>({ microphone: 0, speaker: 0 });
  useEffect(() => {
    if (phone === null) return;
    const timer = setInterval(() => setLevels(phone.levels()), 100);
    return () => clearInterval(timer);
  }, [phone]);
  return levels;
}
