/** What a supervisor does with an agent: another status, another group for a while, his talk. */
import { Button, Group, Menu, Select, Stack, TextInput } from "@mantine/core";
import { IconDots } from "@tabler/icons-react";
import { type ReactNode, useCallback, useMemo, useState } from "react";
import { chooseStatus, giveBack, lend, type SupervisionMode } from "@/api/generated";
import { may } from "@/app/session";
import { momentOf, wallText } from "@/i18n/zones";
import type { AgentRow } from "@/live/board";
import { useLive, useServerNow } from "@/live/live";
import { Dialog } from "@/parts/dialog";
import { ReasonInput } from "@/parts/reason-input";
import { useReasons } from "@/parts/reasons/reasons";
import { RowMenu } from "@/parts/row-menu";
import { attempt } from "./attempt";
import { PAUSES } from "./status";
import { MODES, supervise } from "./supervision";
import { words } from "./words";

export interface AgentActions {
  choose: (agent: string, status: "available" | "paused" | "signed_out", reason?: string) => void;
  askPause: (agent: string) => void;
  askLend: (agent: string) => void;
  takeBack: (agent: string, group: string) => void;
  listen: (call: string, mode: SupervisionMode) => void;
  dialogs: ReactNode;
}

export function useAgentActions(): AgentActions {
  const t = words.use();
  const [pausing, setPausing] = useState<string | null>(null);
  const [lending, setLending] = useState<string | null>(null);
  const choose = useCallback<AgentActions["choose"]>(
    (agent, status, reason = "") =>
      void attempt(t, async () => {
        const { data } = await chooseStatus({
          path: { agent },
          body: { status, reason },
          throwOnError: true,
        });
        return t(data.wanted === null ? "done" : "done_wanted");
      }),
    [t],
  );
  const takeBack = useCallback<AgentActions["takeBack"]>(
    (agent, group) =>
      void attempt(t, async () => {
        await giveBack({ path: { agent, group }, throwOnError: true });
        return t("done");
      }),
    [t],
  );
  const listen = useCallback<AgentActions["listen"]>(
    (call, mode) =>
      void attempt(t, async () => {
        await supervise(call, mode);
        return t("supervise_rings");
      }),
    [t],
  );
  const dialogs = (
    <>
      {pausing !== null && (
        <PauseDialog agent={pausing} choose={choose} close={() => setPausing(null)} />
      )}
      {lending !== null && <LendDialog agent={lending} close={() => setLending(null)} />}
    </>
  );
  return { choose, askPause: setPausing, askLend: setLending, takeBack, listen, dialogs };
}

/** Of one row of the agents; nothing for who may do none of it. */
export function AgentMenu({
  id,
  row,
  actions,
}: {
  id: string;
  row: AgentRow;
  actions: AgentActions;
}) {
  const t = words.use();
  const groups = useLive((live) => live.board.sections.groups);
  const [statuses, lends] = [may("statuses.choose"), may("agents.lend")];
  const call = row.status === "talking" && may("calls.supervise") ? row.call : null;
  if (!statuses && !lends && call === null) return null;
  return (
    <RowMenu label={t("actions", { name: row.name })} icon={<IconDots size={18} />}>
      {() => (
        <>
          {call !== null &&
            MODES.map((mode) => (
              <Menu.Item key={mode} onClick={() => actions.listen(call, mode)}>
                {t(mode)}
              </Menu.Item>
            ))}
          {call !== null && <Menu.Divider />}
          {statuses && row.status !== "available" && (
            <Menu.Item onClick={() => actions.choose(id, "available")}>
              {t("to_available")}
            </Menu.Item>
          )}
          {statuses && row.status !== "paused" && (
            <Menu.Item onClick={() => actions.askPause(id)}>{t("to_paused")}</Menu.Item>
          )}
          {statuses && row.status !== "signed_out" && (
            <Menu.Item onClick={() => actions.choose(id, "signed_out")}>
              {t("to_signed_out")}
            </Menu.Item>
          )}
          {lends && <Menu.Divider />}
          {lends && <Menu.Item onClick={() => actions.askLend(id)}>{t("lend")}</Menu.Item>}
          {lends &&
            row.lent_to.map(({ group }) => (
              <Menu.Item key={group} onClick={() => actions.takeBack(id, group)}>
                {t("give_back", { group: groups[group]?.name ?? group })}
              </Menu.Item>
            ))}
        </>
      )}
    </RowMenu>
  );
}

function useName(agent: string): string {
  return useLive((live) => live.board.sections.agents[agent]?.name ?? agent);
}

interface PauseProps {
  agent: string;
  choose: AgentActions["choose"];
  close: () => void;
}

function PauseDialog({ agent, choose, close }: PauseProps) {
  const t = words.use();
  const told = useReasons();
  const [reason, setReason] = useState("");
  const name = useName(agent);
  return (
    <Dialog opened close={close} title={t("pause_title", { name })}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          // A common reason is kept by its key, and shown to everybody in his own language.
          choose(agent, "paused", PAUSES.find((key) => told(key) === reason) ?? reason.trim());
          close();
        }}
      >
        <Stack>
          <ReasonInput
            label={t("pause_reason")}
            common={PAUSES.map(told)}
            value={reason}
            onChange={setReason}
          />
          <Buttons go={t("pause_do")} close={close} />
        </Stack>
      </form>
    </Dialog>
  );
}

const HOUR_MS = 3_600_000;
const LENGTHS = { in_1h: HOUR_MS, in_2h: 2 * HOUR_MS, in_4h: 4 * HOUR_MS } as const;

function LendDialog({ agent, close }: { agent: string; close: () => void }) {
  const t = words.use();
  const name = useName(agent);
  const now = useServerNow();
  const groups = useLive((live) => live.board.sections.groups);
  const own = useLive((live) => live.board.sections.agents[agent]?.groups);
  const [group, setGroup] = useState<string | null>(null);
  const [until, setUntil] = useState(() => wallText(Date.now() + LENGTHS.in_2h));
  const others = useMemo(
    () =>
      Object.entries(groups)
        .filter(([id]) => !own?.includes(id))
        .map(([value, row]) => ({ value, label: row.name || value })),
    [groups, own],
  );
  const untilAt = momentOf(until);
  const isPast = !(untilAt > now);
  async function send() {
    if (group === null || isPast) return;
    const done = await attempt(t, async () => {
      await lend({ path: { agent, group }, body: { until_at: untilAt }, throwOnError: true });
      return t("done");
    });
    if (done) close();
  }
  return (
    <Dialog opened close={close} title={t("lend_title", { name })}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void send();
        }}
      >
        <Stack>
          <Select
            label={t("lend_group")}
            data={others}
            value={group}
            onChange={setGroup}
            searchable
            limit={100}
            data-autofocus
          />
          <TextInput
            type="datetime-local"
            label={t("lend_until")}
            value={until}
            onChange={(event) => setUntil(event.currentTarget.value)}
            error={isPast ? t("lend_past") : undefined}
          />
          <Group gap="xs">
            {(Object.keys(LENGTHS) as (keyof typeof LENGTHS)[]).map((key) => (
              <Button
                key={key}
                size="compact-sm"
                variant="light"
                onClick={() => setUntil(wallText(now + LENGTHS[key]))}
              >
                {t(key)}
              </Button>
            ))}
          </Group>
          <Buttons go={t("lend_do")} close={close} disabled={group === null || isPast} />
        </Stack>
      </form>
    </Dialog>
  );
}

function Buttons({ go, close, disabled }: { go: string; close: () => void; disabled?: boolean }) {
  const t = words.use();
  return (
    <Group justify="flex-end">
      <Button variant="default" onClick={close}>
        {t("cancel")}
      </Button>
      <Button type="submit" disabled={disabled}>
        {go}
      </Button>
    </Group>
  );
}
