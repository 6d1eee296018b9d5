/** The call that goes on: who it is, how long, and what can be done with it. */
import { Alert, Badge, Button, Group, Paper, Stack, Text, Title } from "@mantine/core";
import { IconArrowsExchange, IconPhoneIncoming, IconPhoneOutgoing } from "@tabler/icons-react";
import { lazy, Suspense } from "react";
import { clock, phoneNumber } from "@/i18n/format";
import { useSection, useServerNow } from "@/live/live";
import { acts, attempt } from "./acts";
import { Controls } from "./controls";
import type { DeskCall, Handing } from "./model";
import { Opening } from "./opening";
import type { AtDesk } from "./use-desk";
import { type Known, useKnown } from "./use-known";
import { bringUpPhone, rememberShift } from "./use-phone";
import { words } from "./words";

const ResultForm = lazy(() => import("./result-form"));

export function CallPanel({ at, call }: { at: AtDesk; call: DeskCall }) {
  const t = words.use();
  const known = useKnown(at, call);
  const incoming = call.stage === "incoming";
  return (
    <Paper
      withBorder
      p="md"
      component="section"
      aria-label={t("call")}
      style={incoming ? { borderColor: "var(--mantine-color-yellow-6)", borderWidth: 2 } : {}}
    >
      <Stack gap="md">
        <Group justify="space-between" align="flex-start" wrap="nowrap">
          {/* Told at once to who cannot see it; a talk that goes on is not told again. */}
          <div role={incoming ? "alert" : undefined}>
            <Who call={call} known={known} at={at} />
          </div>
          <Timer call={call} at={at} />
        </Group>
        {(call.lost || isTabNew(at, call)) && (
          <Alert
            color="orange"
            role="status"
            title={t(call.lost ? "sound_lost" : "sound_not_here")}
          >
            <Button size="xs" onClick={() => void comeBack(at, call)}>
              {t("rejoin")}
            </Button>
          </Alert>
        )}
        {known.owed && !call.outgoing && (
          <Alert color="red" role="note" variant="light" p="xs">
            {t("we_owe_him", { count: known.owedCalls })}
          </Alert>
        )}
        {(call.debt !== null || call.outgoing) && call.stage !== "wrap_up" && (
          <Opening call={call} />
        )}
        {call.handing !== null ? (
          <HandingOver at={at} call={call} handing={call.handing} />
        ) : (
          <Controls at={at} call={call} />
        )}
        {call.id !== null && (call.stage === "talking" || call.stage === "wrap_up") && (
          <Suspense>
            <ResultForm key={call.id} at={at} call={call} id={call.id} />
          </Suspense>
        )}
      </Stack>
    </Paper>
  );
}

/** He talks, and closed the tab that had his telephone: not asked, this one does not take it. */
function isTabNew(at: AtDesk, call: DeskCall): boolean {
  const isOff = at.inBrowser && at.view.state === "off" && !at.inOtherTab;
  return isOff && call.stage === "talking" && at.row?.status === "talking";
}

async function comeBack({ inBrowser, view }: AtDesk, { id }: DeskCall): Promise<void> {
  // Once the telephone is up, the desk asks for the sound by itself.
  if (inBrowser && view.state === "off") rememberShift(await bringUpPhone());
  else if (id !== null) await attempt(() => acts.rejoin(id));
}

function Who({ at, call, known }: { at: AtDesk; call: DeskCall; known: Known }) {
  const t = words.use();
  const Icon = call.outgoing ? IconPhoneOutgoing : IconPhoneIncoming;
  const number = phoneNumber(known.number || call.number) || t("no_number");
  const name = known.name || call.name;
  const line = at.desk.lines.find((one) => one.number === known.did);
  return (
    <Stack gap={4}>
      <Group gap="xs">
        <Icon size={18} aria-hidden />
        <Text size="sm" c="dimmed">
          {t(call.outgoing ? (call.debt === null ? "you_dial" : "callback") : "inbound")}
        </Text>
      </Group>
      <Title order={2} size="h2" style={{ overflowWrap: "anywhere" }}>
        {name || number}
      </Title>
      {name !== "" && <Text size="lg">{number}</Text>}
      <Group gap={6}>
        {call.queue !== "" && (
          <Badge variant="light" tt="none">
            {at.queue?.name ?? call.queue}
          </Badge>
        )}
        {known.did !== null && (
          <Badge variant="light" color="gray" tt="none">
            {t("our_number", { number: phoneNumber(known.did) })}
          </Badge>
        )}
        {line !== undefined && line.project !== "" && (
          <Badge variant="light" color="gray" tt="none">
            {line.project}
          </Badge>
        )}
      </Group>
    </Stack>
  );
}

function Timer({ at, call }: { at: AtDesk; call: DeskCall }) {
  const t = words.use();
  const now = useServerNow();
  const since =
    call.stage === "wrap_up" ? null : call.stage === "talking" ? call.answeredAt : call.beganAt;
  if (since === null) return null;
  const waited =
    call.answeredAt !== null && call.beganAt !== null ? call.answeredAt - call.beganAt : null;
  // What the telephone alone knows is by this machine's clock, the rest by the server's.
  const byBoard = at.row?.call === call.id;
  return (
    <Stack gap={0} align="flex-end">
      <Text ff="monospace" fz={28} lh={1.1}>
        {clock((byBoard ? now : Date.now()) - since)}
      </Text>
      <Text size="sm" c="dimmed">
        {call.stage === "talking"
          ? waited !== null && !call.outgoing
            ? t("had_waited", { length: clock(waited) })
            : t("talks")
          : t(call.stage !== "incoming" ? "dials" : call.outgoing ? "rings_you" : "waits")}
      </Text>
    </Stack>
  );
}

function HandingOver({ at, call, handing }: { at: AtDesk; call: DeskCall; handing: Handing }) {
  const t = words.use();
  const agents = useSection("agents");
  const queue = at.desk.queues.find((one) => one.id === handing.to_queue)?.name;
  const agent = handing.to_agent && (agents[handing.to_agent]?.name || handing.to_agent);
  const to = agent || queue || handing.to_queue || t("number_outside");
  const id = call.id ?? "";
  return (
    <Alert
      color="blue"
      role="status"
      icon={<IconArrowsExchange aria-hidden />}
      title={t(handing.target_answered ? "you_ask" : "we_ring", { name: to })}
    >
      <Group>
        <Button
          disabled={!handing.target_answered}
          onClick={() => void attempt(() => acts.completeTransfer(id))}
        >
          {t("connect_them")}
        </Button>
        <Button variant="default" onClick={() => void attempt(() => acts.cancelTransfer(id))}>
          {t("back_to_client")}
        </Button>
      </Group>
    </Alert>
  );
}
