/** My status: on shift with one click, a pause with its reason, and since when. */
import { Alert, Badge, Button, Group, Menu, Text, Tooltip } from "@mantine/core";
import { IconChevronDown, IconCoffee, IconHeadset, IconLogout } from "@tabler/icons-react";
import { useState } from "react";
import { clock } from "@/i18n/format";
import type { AgentStatus } from "@/live/board";
import { useServerNow } from "@/live/live";
import { useReasons } from "@/parts/reasons/reasons";
import { acts, attempt } from "./acts";
import { keysOf } from "./keys";
import { LOOK } from "./looks";
import { goReady } from "./ready";
import type { AtDesk } from "./use-desk";
import { obtainPhone, rememberShift } from "./use-phone";
import { words } from "./words";

export function Status({ at }: { at: AtDesk }) {
  const t = words.use();
  const status = at.row?.status ?? "signed_out";
  const [busy, setBusy] = useState(false);
  async function act(doing: () => Promise<unknown>) {
    setBusy(true);
    await doing();
    setBusy(false);
  }
  const off = status === "signed_out";
  const busyNow = status === "talking" || status === "ringing";
  // While he talks, only a wish for something else can be taken back.
  const mayChoose = busyNow ? at.row?.wanted != null : status !== "available";
  return (
    <Group gap="sm" wrap="wrap">
      <Now at={at} status={status} />
      {mayChoose && (
        <Tooltip label={keysOf("ready")}>
          <Button
            leftSection={<IconHeadset size={18} aria-hidden />}
            variant={busyNow ? "default" : "filled"}
            loading={busy}
            onClick={() => void act(() => goReady(at))}
          >
            {t(off ? "go_on_shift" : "go_ready")}
          </Button>
        </Tooltip>
      )}
      {!off && <Pause at={at} busy={busy} act={act} />}
      {!off && (
        <Button
          variant="subtle"
          color="gray"
          leftSection={<IconLogout size={18} aria-hidden />}
          onClick={() => void act(() => leave(at))}
        >
          {t("go_off_shift")}
        </Button>
      )}
    </Group>
  );
}

async function leave({ desk, phone, row }: AtDesk): Promise<void> {
  const left = await attempt(() => acts.status(desk.agent, "signed_out"));
  if (!left) return;
  rememberShift(false);
  // A talk is finished first: the wish takes effect after it.
  if (row?.status !== "talking") phone?.stop();
}

function Now({ at, status }: { at: AtDesk; status: AgentStatus }) {
  const t = words.use();
  const reasons = useReasons();
  const now = useServerNow();
  const look = LOOK[status];
  const reason = at.row?.reason ?? "";
  const wanted = at.row?.wanted ?? null;
  return (
    <Group gap="xs" wrap="nowrap">
      <Badge
        size="xl"
        variant="light"
        color={look.colour}
        leftSection={<look.icon size={18} aria-hidden />}
        tt="none"
        role="status"
      >
        {t(`status_${status}`)}
        {reason !== "" && `: ${reasons(reason)}`}
      </Badge>
      {at.row !== null && status !== "signed_out" && (
        <Text ff="monospace" fz="lg" aria-label={t("for_how_long")}>
          {clock(now - at.row.since_at)}
        </Text>
      )}
      {wanted !== null && (
        <Text size="sm" c="dimmed">
          {t("then", { status: t(`status_${wanted}`).toLowerCase() })}
        </Text>
      )}
    </Group>
  );
}

function Pause({
  at,
  busy,
  act,
}: {
  at: AtDesk;
  busy: boolean;
  act: (doing: () => Promise<unknown>) => Promise<void>;
}) {
  const t = words.use();
  const reasons = useReasons();
  return (
    <Menu withArrow position="bottom-start">
      <Menu.Target>
        <Button
          variant="default"
          disabled={busy}
          leftSection={<IconCoffee size={18} aria-hidden />}
          rightSection={<IconChevronDown size={16} aria-hidden />}
        >
          {t("pause")}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {at.desk.pauses.map((reason) => (
          <Menu.Item
            key={reason}
            onClick={() =>
              void act(() => attempt(() => acts.status(at.desk.agent, "paused", reason)))
            }
          >
            {reasons(reason)}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

/** To this tab: brought up, or claimed. */
async function takeOver(): Promise<void> {
  const phone = await obtainPhone();
  if (phone.view.state === "off") await phone.start();
  else phone.takeOver();
  rememberShift(true);
}

/** What keeps the telephone of this page from ringing, and what to do about it. */
export function PhoneTrouble({ at }: { at: AtDesk }) {
  const t = words.use();
  const { state, problem } = at.view;
  if (!at.inBrowser) return null;
  if (problem !== null) {
    return (
      <Alert color="red" title={t(`problem_${problem}`)} role="status">
        {t(`problem_${problem}_do`)}
      </Alert>
    );
  }
  if (state === "elsewhere" || at.inOtherTab) {
    return (
      <Alert color="yellow" title={t("phone_elsewhere")} role="status">
        <Button size="xs" variant="light" color="dark" onClick={() => void takeOver()}>
          {t("take_over")}
        </Button>
      </Alert>
    );
  }
  if (state === "reconnecting" || state === "refused") {
    return (
      <Alert color={state === "refused" ? "red" : "yellow"} role="status">
        {t(`phone_${state}`)}
      </Alert>
    );
  }
  return null;
}
