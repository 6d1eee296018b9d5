/** The live board: what goes on now, and what a supervisor does about it. */
import { Group, MultiSelect, Title } from "@mantine/core";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo } from "react";
import { may } from "@/app/session";
import { useLive, useSection } from "@/live/live";
import { useDebtActions } from "@/parts/debts/debt-actions";
import { useAgentActions } from "./agent-actions";
import { Alerts } from "./alerts";
import classes from "./board.module.css";
import { SixFigures, TARGETS } from "./figures";
import { AgentsPanel, DebtsPanel, QueuesPanel, TalkingPanel, WaitingPanel } from "./panels";
import { SupervisionBar } from "./supervision";
import { TvLinks } from "./tv-links";
import { addressOf, type Choice, choiceOf, figuresOf, narrowed } from "./view";
import { words } from "./words";

export function BoardPage() {
  const t = words.use();
  const search: Record<string, unknown> = useSearch({ strict: false });
  const choice = useMemo(() => choiceOf(search), [search]);
  const sections = useLive((live) => live.board.sections);
  const shown = useMemo(() => narrowed(sections, choice), [sections, choice]);
  const targets = sections.targets.all ?? TARGETS;
  const figures = useMemo(
    () => figuresOf(shown, sections.queues_today),
    [shown, sections.queues_today],
  );
  const agentActions = useAgentActions();
  const { choose, askPause, askLend, takeBack, listen } = agentActions;
  // Without the dialogs, which are another object each time: tables would be drawn anew for them.
  // biome-ignore lint/correctness/useExhaustiveDependencies: as said
  const forAgents = useMemo(() => agentActions, [choose, askPause, askLend, takeBack, listen]);
  const debtActions = useDebtActions();
  const { callNow, askAssign, askWaive } = debtActions;
  // biome-ignore lint/correctness/useExhaustiveDependencies: as above
  const forDebts = useMemo(() => debtActions, [callNow, askAssign, askWaive]);
  return (
    <div className={classes.page}>
      <Group justify="space-between" gap="sm">
        <Title order={1} size="h3">
          {t("title")}
        </Title>
        <Group gap="xs">
          <Choices choice={choice} />
          {may("board.share") && <TvLinks />}
        </Group>
      </Group>
      <Alerts />
      <SupervisionBar />
      <SixFigures figures={figures} targets={targets} />
      <div className={classes.panels}>
        <WaitingPanel rows={shown.waiting} total={figures.waiting} targets={targets} />
        <AgentsPanel rows={shown.agents} actions={forAgents} />
        <TalkingPanel rows={shown.talking} actions={forAgents} />
        <DebtsPanel rows={shown.debts} total={figures.debts} actions={forDebts} />
        <QueuesPanel rows={shown.queues} targets={targets} />
      </div>
      {agentActions.dialogs}
      {debtActions.dialogs}
    </div>
  );
}

function Choices({ choice }: { choice: Choice }) {
  const t = words.use();
  const navigate = useNavigate();
  const groups = useSection("groups");
  const queues = useLive((live) => live.board.sections.queues);
  const go = (changed: Partial<Choice>) =>
    void navigate({
      to: "/board",
      search: addressOf({ ...choice, ...changed }) as never,
      replace: true,
    });
  const options = (rows: Record<string, { name: string }>) =>
    Object.entries(rows).map(([value, row]) => ({ value, label: row.name || value }));
  const field = { size: "xs", w: 190, clearable: true, searchable: true, limit: 100 } as const;
  return (
    <>
      <MultiSelect
        {...field}
        aria-label={t("groups")}
        placeholder={choice.groups.length === 0 ? t("all_groups") : ""}
        data={options(groups)}
        value={choice.groups}
        onChange={(chosen) => go({ groups: chosen })}
      />
      <MultiSelect
        {...field}
        aria-label={t("queues")}
        placeholder={choice.queues.length === 0 ? t("all_queues") : ""}
        data={options(queues)}
        value={choice.queues}
        onChange={(chosen) => go({ queues: chosen })}
      />
    </>
  );
}
