/** The columns of the board's tables. */
import { ActionIcon, Menu, VisuallyHidden } from "@mantine/core";
import {
  IconAlertTriangle,
  IconDots,
  IconEar,
  IconHourglass,
  IconPhoneCall,
  IconPhoneOutgoing,
  IconPhoneRinging,
} from "@tabler/icons-react";
import type { ReactNode } from "react";
import { may } from "@/app/session";
import { fullMoment, percent, phoneNumber, relative } from "@/i18n/format";
import type {
  AgentRow,
  ClientCells,
  DebtRow,
  QueueRow,
  TalkingRow,
  TargetsRow,
  WaitingRow,
} from "@/live/board";
import { useLive, useServerNow } from "@/live/live";
import { CallLink } from "@/parts/call-link";
import type { DebtActions } from "@/parts/debts/debt-actions";
import type { words as debtWords } from "@/parts/debts/words";
import { Lasting } from "@/parts/lasting/lasting";
import type { Names } from "@/parts/names";
import { RowMenu } from "@/parts/row-menu";
import type { Column } from "@/parts/virtual-table/virtual-table";
import { type AgentActions, AgentMenu } from "./agent-actions";
import classes from "./board.module.css";
import { Particulars, Status } from "./status";
import { MODES } from "./supervision";
import { words } from "./words";

type Say = ReturnType<typeof words.use>;

/** Number and name, or name of the agent and queue: the second one smaller, beneath. */
function Two({ first, second }: { first: ReactNode; second: ReactNode }) {
  return (
    <>
      <div className={classes.first}>{first}</div>
      <div className={classes.second}>{second}</div>
    </>
  );
}

function Client({ row, t, debt = null }: { row: ClientCells; t: Say; debt?: string | null }) {
  return (
    <Two
      first={<b className={classes.bold}>{phoneNumber(row.number) || t("unknown")}</b>}
      second={
        <>
          {debt !== null && (
            <span className={classes.callback}>
              <IconPhoneOutgoing size={13} aria-hidden /> {t("callback")}{" "}
            </span>
          )}
          {row.name}
        </>
      }
    />
  );
}

export function waitingColumns(t: Say, names: Names, targets: TargetsRow): Column<WaitingRow>[] {
  return [
    {
      key: "wait",
      head: t("col_wait"),
      width: "84px",
      cell: (row) => (
        <Lasting
          since={row.since_at}
          longMs={targets.wait_ms}
          tooLongMs={targets.longest_wait_ms}
        />
      ),
    },
    {
      key: "client",
      head: t("col_client"),
      width: "minmax(150px, 1.3fr)",
      cell: (row) => <Client row={row} t={t} debt={row.debt} />,
    },
    {
      key: "rings",
      head: t("col_rings"),
      width: "minmax(150px, 1.4fr)",
      cell: (row) => <Two first={<Rings row={row} t={t} />} second={names.queue(row.queue)} />,
    },
  ];
}

const STATES: readonly string[] = [
  "greeting",
  "waiting",
  "fell_back",
  "ringing_agent",
  "briefing",
  "dialling",
];

function Rings({ row, t }: { row: WaitingRow; t: Say }) {
  if (row.ringing_names.length > 0) {
    const who = row.ringing_names.join(", ");
    return (
      <span className={classes.rings} title={who}>
        <IconPhoneRinging size={15} aria-hidden />
        <span className={classes.cut}>{who}</span>
      </span>
    );
  }
  const state = STATES.includes(row.state) ? t(`state_${row.state}` as "state_waiting") : row.state;
  return (
    <span className={classes.rings} data-idle>
      <IconHourglass size={15} aria-hidden />
      <span className={classes.cut}>{state}</span>
    </span>
  );
}

export function talkingColumns(
  t: Say,
  names: Names,
  actions: AgentActions | null,
): Column<TalkingRow>[] {
  const columns: Column<TalkingRow>[] = [
    {
      key: "talk",
      head: t("col_talk"),
      width: "84px",
      cell: (row) => <Lasting since={row.since_at} />,
    },
    {
      key: "client",
      head: t("col_client"),
      width: "minmax(150px, 1.3fr)",
      cell: (row) => <Client row={row} t={t} debt={row.debt} />,
    },
    {
      key: "agent",
      head: t("col_agent"),
      width: "minmax(130px, 1.2fr)",
      cell: (row) => <Two first={row.agent_name} second={names.queue(row.queue)} />,
    },
  ];
  if (actions === null) return columns;
  const act: Column<TalkingRow> = {
    key: "actions",
    head: <VisuallyHidden>{t("col_actions")}</VisuallyHidden>,
    width: "34px",
    align: "end",
    cell: (row, id) => <TalkMenu id={id} row={row} actions={actions} t={t} />,
  };
  return [...columns, act];
}

interface TalkMenuProps {
  id: string;
  row: TalkingRow;
  actions: AgentActions;
  t: Say;
}

function TalkMenu({ id, row, actions, t }: TalkMenuProps) {
  return (
    <RowMenu label={t("actions", { name: row.agent_name })} icon={<IconEar size={18} />}>
      {() => (
        <>
          {may("calls.supervise") &&
            MODES.map((mode) => (
              <Menu.Item key={mode} onClick={() => actions.listen(id, mode)}>
                {t(mode)}
              </Menu.Item>
            ))}
          {may("calls.see") && (
            <Menu.Item component="div" closeMenuOnClick={false}>
              <CallLink call={id}>{t("open_call")}</CallLink>
            </Menu.Item>
          )}
        </>
      )}
    </RowMenu>
  );
}

export function agentColumns(t: Say, actions: AgentActions | null): Column<AgentRow>[] {
  const columns: Column<AgentRow>[] = [
    {
      key: "name",
      head: t("col_agent"),
      width: "minmax(150px, 1.7fr)",
      cell: (row) => (
        <span className={classes.agent}>
          <b className={classes.bold} title={row.name}>
            {row.name}
          </b>
          <Particulars row={row} />
        </span>
      ),
    },
    {
      key: "status",
      head: t("col_status"),
      width: "minmax(124px, 1.3fr)",
      cell: (row) => <Status row={row} />,
    },
    {
      key: "since",
      head: t("col_since"),
      width: "64px",
      align: "end",
      cell: (row) => <Lasting since={row.since_at === 0 ? null : row.since_at} />,
    },
    {
      key: "today",
      head: t("col_today"),
      width: "58px",
      align: "end",
      cell: (_, id) => <TodayCounts agent={id} />,
    },
  ];
  if (actions === null) return columns;
  const act: Column<AgentRow> = {
    key: "actions",
    head: <VisuallyHidden>{t("col_actions")}</VisuallyHidden>,
    width: "34px",
    align: "end",
    cell: (row, id) => <AgentMenu id={id} row={row} actions={actions} />,
  };
  return [...columns, act];
}

function TodayCounts({ agent }: { agent: string }) {
  const t = words.use();
  const counts = useLive((live) => live.board.sections.agents_today[agent]);
  if (counts === undefined) return null;
  return (
    <span title={t("today_told", { ...counts })}>
      {counts.answered}
      <span className={counts.missed > 0 ? classes.bad : classes.dim}>
        {" / "}
        {counts.missed}
      </span>
    </span>
  );
}

export function debtColumns(
  t: Say,
  d: ReturnType<typeof debtWords.use>,
  actions: DebtActions | null,
): Column<DebtRow>[] {
  const columns: Column<DebtRow>[] = [
    {
      key: "due",
      head: t("col_due"),
      width: "minmax(96px, 0.8fr)",
      cell: (row) => <Due row={row} />,
    },
    {
      key: "client",
      head: t("col_client"),
      width: "minmax(150px, 1.2fr)",
      cell: (row) => <Client row={row} t={t} />,
    },
    {
      key: "state",
      head: t("col_state"),
      width: "minmax(130px, 1.2fr)",
      cell: (row) => <Two first={<DebtState row={row} />} second={row.owner_name} />,
    },
  ];
  if (actions === null) return columns;
  const act: Column<DebtRow> = {
    key: "actions",
    head: <VisuallyHidden>{t("col_actions")}</VisuallyHidden>,
    width: "62px",
    align: "end",
    cell: (row, id) => <DebtMenu id={id} row={row} actions={actions} t={t} d={d} />,
  };
  return [...columns, act];
}

function Due({ row }: { row: DebtRow }) {
  const t = words.use();
  const now = useServerNow();
  if (!row.overdue && row.due_at > now) {
    return <span title={fullMoment(row.due_at)}>{relative(row.due_at, now)}</span>;
  }
  return (
    <span className={classes.overdue} title={fullMoment(row.due_at)}>
      <IconAlertTriangle size={14} aria-hidden /> {t("overdue")}
    </span>
  );
}

function DebtState({ row }: { row: DebtRow }) {
  const t = words.use();
  const now = useServerNow();
  let state: ReactNode = t("exhausted");
  if (row.attempting) {
    state = (
      <span className={classes.attempting}>
        <IconPhoneCall size={15} aria-hidden /> {t("attempting")}
      </span>
    );
  } else if (row.next_at !== null) {
    state = t("next", { when: relative(Math.max(row.next_at, now), now) });
  }
  return <span title={t("calls", { count: row.calls })}>{state}</span>;
}

interface DebtMenuProps {
  id: string;
  row: DebtRow;
  actions: DebtActions;
  t: Say;
  d: ReturnType<typeof debtWords.use>;
}

function DebtMenu({ id, row, actions, t, d }: DebtMenuProps) {
  const client = row.name || phoneNumber(row.number) || t("unknown");
  return (
    <span className={classes.actions}>
      {may("debts.callback") && (
        <ActionIcon
          title={d("call_now")}
          variant="subtle"
          aria-label={`${d("call_now")}: ${client}`}
          disabled={row.attempting}
          onClick={() => actions.callNow([id])}
        >
          <IconPhoneOutgoing size={18} />
        </ActionIcon>
      )}
      {(may("debts.assign") || may("debts.waive")) && (
        <RowMenu label={t("actions", { name: client })} icon={<IconDots size={18} />}>
          {() => (
            <>
              {may("debts.assign") && (
                <Menu.Item onClick={() => actions.askAssign([id])}>{d("assign")}</Menu.Item>
              )}
              {may("debts.waive") && (
                <Menu.Item color="red" onClick={() => actions.askWaive([id])}>
                  {d("waive")}
                </Menu.Item>
              )}
            </>
          )}
        </RowMenu>
      )}
    </span>
  );
}

export function queueColumns(t: Say, targets: TargetsRow): Column<QueueRow>[] {
  return [
    {
      key: "name",
      head: t("col_queue"),
      width: "minmax(100px, 1.5fr)",
      cell: (row) => <b className={classes.bold}>{row.name}</b>,
    },
    { key: "waiting", head: t("col_waiting"), width: "58px", align: "end", cell: (r) => r.waiting },
    {
      key: "longest",
      head: t("col_longest"),
      width: "88px",
      align: "end",
      cell: (row) => (
        <Lasting
          since={row.oldest_at}
          longMs={targets.wait_ms}
          tooLongMs={targets.longest_wait_ms}
        />
      ),
    },
    { key: "talking", head: t("col_talking"), width: "60px", align: "end", cell: (r) => r.talking },
    { key: "debts", head: t("col_debts"), width: "52px", align: "end", cell: (r) => r.debts },
    {
      key: "level",
      head: t("col_level"),
      width: "64px",
      align: "end",
      cell: (_, id) => <Level queue={id} targets={targets} />,
    },
  ];
}

function Level({ queue, targets }: { queue: string; targets: TargetsRow }) {
  const counts = useLive((live) => live.board.sections.queues_today[queue]);
  const ended = counts === undefined ? 0 : counts.answered + counts.missed;
  if (counts === undefined || ended === 0) return <>—</>;
  const level = Math.floor((counts.in_target / ended) * 100);
  const well = level >= targets.service_level_percent;
  return <span className={well ? undefined : classes.bad}>{percent(level / 100)}</span>;
}
