/** The board's tables, each in its frame. They are drawn anew only when their own rows change. */
import { Badge, Group, Paper, Switch, Text, TextInput, Title } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { memo, type ReactNode, useMemo, useState } from "react";
import { may } from "@/app/session";
import { whole } from "@/i18n/format";
import type { AgentRow, DebtRow, QueueRow, TalkingRow, TargetsRow, WaitingRow } from "@/live/board";
import type { DebtActions } from "@/parts/debts/debt-actions";
import { words as debtWords } from "@/parts/debts/words";
import { useNames } from "@/parts/names";
import { VirtualTable } from "@/parts/virtual-table/virtual-table";
import type { AgentActions } from "./agent-actions";
import classes from "./board.module.css";
import { agentColumns, debtColumns, queueColumns, talkingColumns, waitingColumns } from "./columns";
import { STATUSES } from "./status";
import { words } from "./words";

const ROW_PX = 36;
/** Of rows with two lines. */
const TALL_PX = 48;

interface FrameProps {
  area: string;
  name: string;
  count: number;
  /** All there are, where the first are shown only. */
  total?: number;
  tools?: ReactNode;
  children: ReactNode;
}

function Frame({ area, name, count, total = count, tools, children }: FrameProps) {
  const t = words.use();
  return (
    <Paper withBorder component="section" className={classes.panel} style={{ gridArea: area }}>
      <Group justify="space-between" wrap="nowrap" className={classes.panelHead}>
        <Group gap={8} wrap="nowrap">
          <Title order={2} size="h6">
            {name}
          </Title>
          <Badge variant="light" color="gray" size="sm">
            {whole(total)}
          </Badge>
          {total > count && (
            <Text size="xs" c="dimmed">
              {t("shown_first", { count })}
            </Text>
          )}
        </Group>
        {tools}
      </Group>
      {children}
    </Paper>
  );
}

interface WaitingProps {
  rows: Record<string, WaitingRow>;
  total: number;
  targets: TargetsRow;
}

export const WaitingPanel = memo(function WaitingPanel({ rows, total, targets }: WaitingProps) {
  const t = words.use();
  const names = useNames();
  const entries = useMemo(
    () => Object.entries(rows).sort(([, a], [, b]) => a.since_at - b.since_at),
    [rows],
  );
  const columns = useMemo(() => waitingColumns(t, names, targets), [t, names, targets]);
  return (
    <Frame
      area="waiting"
      name={t("waiting")}
      count={entries.length}
      total={Math.max(total, entries.length)}
    >
      <VirtualTable
        label={t("waiting")}
        columns={columns}
        entries={entries}
        rowHeight={TALL_PX}
        empty={t("nobody_waits")}
      />
    </Frame>
  );
});

interface TalkingProps {
  rows: Record<string, TalkingRow>;
  actions: AgentActions | null;
}

export const TalkingPanel = memo(function TalkingPanel({ rows, actions }: TalkingProps) {
  const t = words.use();
  const names = useNames();
  const entries = useMemo(
    () => Object.entries(rows).sort(([, a], [, b]) => a.since_at - b.since_at),
    [rows],
  );
  const acting = may("calls.supervise") || may("calls.see") ? actions : null;
  const columns = useMemo(() => talkingColumns(t, names, acting), [t, names, acting]);
  return (
    <Frame area="talking" name={t("talking")} count={entries.length}>
      <VirtualTable
        label={t("talking")}
        columns={columns}
        entries={entries}
        rowHeight={TALL_PX}
        empty={t("nobody_talks")}
      />
    </Frame>
  );
});

interface AgentsProps {
  rows: Record<string, AgentRow>;
  actions: AgentActions | null;
}

export function sortedAgents(
  rows: Record<string, AgentRow>,
  search = "",
  withSignedOut = true,
): [string, AgentRow][] {
  const wanted = search.trim().toLocaleLowerCase();
  return Object.entries(rows)
    .filter(
      ([id, row]) =>
        (withSignedOut || row.status !== "signed_out") &&
        (wanted === "" ||
          row.name.toLocaleLowerCase().includes(wanted) ||
          id.toLocaleLowerCase().includes(wanted)),
    )
    .sort(
      ([, a], [, b]) =>
        STATUSES.indexOf(a.status) - STATUSES.indexOf(b.status) || a.since_at - b.since_at,
    );
}

export const AgentsPanel = memo(function AgentsPanel({ rows, actions }: AgentsProps) {
  const t = words.use();
  const [search, setSearch] = useState("");
  const [withSignedOut, setWithSignedOut] = useState(false);
  const entries = useMemo(
    () => sortedAgents(rows, search, withSignedOut),
    [rows, search, withSignedOut],
  );
  const columns = useMemo(() => agentColumns(t, actions), [t, actions]);
  const tools = (
    <Group gap="xs" wrap="nowrap">
      <TextInput
        size="xs"
        w={130}
        aria-label={t("search")}
        placeholder={t("search")}
        leftSection={<IconSearch size={14} aria-hidden />}
        value={search}
        onChange={(event) => setSearch(event.currentTarget.value)}
      />
      <Switch
        size="xs"
        label={t("show_off")}
        checked={withSignedOut}
        onChange={(event) => setWithSignedOut(event.currentTarget.checked)}
        className={classes.nowrap}
      />
    </Group>
  );
  return (
    <Frame area="agents" name={t("agents")} count={entries.length} tools={tools}>
      <VirtualTable
        label={t("agents")}
        columns={columns}
        entries={entries}
        rowHeight={ROW_PX}
        empty={t("no_agents")}
      />
    </Frame>
  );
});

interface DebtsProps {
  rows: Record<string, DebtRow>;
  total: number;
  actions: DebtActions | null;
}

export const DebtsPanel = memo(function DebtsPanel({ rows, total, actions }: DebtsProps) {
  const t = words.use();
  const d = debtWords.use();
  const entries = useMemo(
    () => Object.entries(rows).sort(([, a], [, b]) => a.due_at - b.due_at),
    [rows],
  );
  const acting = may("debts.callback") || may("debts.assign") ? actions : null;
  const columns = useMemo(() => debtColumns(t, d, acting), [t, d, acting]);
  return (
    <Frame
      area="debts"
      name={t("debts")}
      count={entries.length}
      total={Math.max(total, entries.length)}
    >
      <VirtualTable
        label={t("debts")}
        columns={columns}
        entries={entries}
        rowHeight={TALL_PX}
        empty={t("no_debts")}
      />
    </Frame>
  );
});

interface QueuesProps {
  rows: Record<string, QueueRow>;
  targets: TargetsRow;
}

export const QueuesPanel = memo(function QueuesPanel({ rows, targets }: QueuesProps) {
  const t = words.use();
  const entries = useMemo(() => Object.entries(rows), [rows]);
  const columns = useMemo(() => queueColumns(t, targets), [t, targets]);
  return (
    <Frame area="queues" name={t("queues")} count={entries.length}>
      <VirtualTable
        label={t("queues")}
        columns={columns}
        entries={entries}
        rowHeight={ROW_PX}
        empty={t("no_queues")}
      />
    </Frame>
  );
});
