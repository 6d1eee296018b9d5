/** The state of my telephone, and the way to its settings. */
import { Badge, Button, Group, Popover } from "@mantine/core";
import { IconSettings } from "@tabler/icons-react";
import { lazy, Suspense } from "react";
import type { PhoneView } from "@/phone/phone";
import type { AtDesk } from "./use-desk";
import { words } from "./words";

const Sounds = lazy(() => import("./sounds"));

const STATE_COLOURS: Record<PhoneView["state"], string> = {
  off: "gray",
  connecting: "yellow",
  ready: "teal",
  reconnecting: "yellow",
  elsewhere: "yellow",
  refused: "red",
};

export function MyPhone({ at }: { at: AtDesk }) {
  const t = words.use();
  const reachable = at.row?.reachable ?? true;
  return (
    <Group gap="xs">
      {at.inBrowser ? (
        <Badge variant="dot" size="lg" tt="none" color={STATE_COLOURS[at.view.state]} role="status">
          {t("phone")}: {t(`phone_is_${at.inOtherTab ? "elsewhere" : at.view.state}`)}
        </Badge>
      ) : (
        <Badge variant="dot" size="lg" tt="none" color={reachable ? "teal" : "red"} role="status">
          {t(reachable ? "own_phone" : "own_phone_away")}
        </Badge>
      )}
      <Popover position="bottom-end" withArrow shadow="md" width={420} trapFocus>
        <Popover.Target>
          <Button
            variant="default"
            leftSection={<IconSettings size={18} aria-hidden />}
            onClick={() => void at.phone?.refreshSounds()}
          >
            {t("sound")}
          </Button>
        </Popover.Target>
        <Popover.Dropdown>
          <Suspense>
            <Sounds at={at} />
          </Suspense>
        </Popover.Dropdown>
      </Popover>
    </Group>
  );
}
