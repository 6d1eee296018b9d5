/** The columns of the list: one row is one client's episode, in two lines. */
import { ActionIcon, Checkbox, Group, Menu, Text, VisuallyHidden } from "@mantine/core";
import {
  IconAlertTriangle,
  IconDots,
  IconListDetails,
  IconPhoneOutgoing,
  IconTrashX,
  IconUserShare,
} from "@tabler/icons-react";
import type { ReactNode } from "react";
import type { Debt } from "@/api/generated";
import { may } from "@/app/session";
import { clock, fullMoment, moment, phoneNumber, relative } from "@/i18n/format";
import { useServerNow } from "@/live/live";
import type { DebtActions } from "@/parts/debts/debt-actions";
import { ReactionBadge } from "@/parts/debts/reaction";
import { words as debtWords } from "@/parts/debts/words";
import type { Names } from "@/parts/names";
import { RowMenu } from "@/parts/row-menu";
import type { Column } from "@/parts/virtual-table/virtual-table";
import { words } from "./words";

type Say = ReturnType<typeof words.use>;
type SayDebt = ReturnType<typeof debtWords.use>;

export interface Means {
  t: Say;
  d: SayDebt;
  names: Names;
  actions: DebtActions;
  selected: ReadonlySet<string>;
  select: (debt: string, on: boolean) => void;
  open: (debt: string) => void;
}

export function clientOf(debt: Debt, t: Say): string {
  return debt.name ?? (phoneNumber(debt.number) || t("unknown"));
}

export function episodeColumns(means: Means): Column<Debt>[] {
  const { t, d, names, actions, selected, select, open } = means;
  const selectable = may("debts.waive") || may("debts.assign") || may("debts.callback");
  const columns: Column<Debt>[] = [
    {
      key: "reaction",
      head: t("col_reaction"),
      width: "minmax(186px, 2.25fr)",
      cell: (debt) => <Met debt={debt} names={names} />,
    },
    {
      key: "client",
      head: t("col_client"),
      width: "minmax(148px, 1.52fr)",
      cell: (debt) => (
        <TwoLines
          first={
            <Text size="sm" fw={600} truncate component="span">
              {phoneNumber(debt.number) || t("unknown")}
            </Text>
          }
          second={debt.name}
        />
      ),
    },
    {
      key: "calls",
      head: t("col_calls"),
      width: "minmax(128px, 1.34fr)",
      cell: (debt) => <HisCalls debt={debt} />,
    },
    {
      key: "why",
      head: t("col_why"),
      width: "minmax(130px, 1.6fr)",
      cell: (debt) => (
        <TwoLines first={d(`reason_${debt.reason}`)} second={rungText(debt, means)} />
      ),
    },
    {
      key: "tries",
      head: t("col_tries"),
      width: "minmax(112px, 1.26fr)",
      cell: (debt) => <OurTries debt={debt} />,
    },
    {
      key: "owner",
      head: t("col_owner"),
      width: "minmax(104px, 1.12fr)",
      cell: (debt) => (
        <TwoLines
          first={debt.owner === null ? t("no_owner") : names.agent(debt.owner)}
          second={names.queue(debt.queue)}
        />
      ),
    },
    {
      key: "actions",
      head: <VisuallyHidden>{t("col_actions")}</VisuallyHidden>,
      width: "68px",
      align: "end",
      cell: (debt) => <RowActions debt={debt} t={t} d={d} actions={actions} open={open} />,
    },
  ];
  if (!selectable) return columns;
  const choice: Column<Debt> = {
    key: "select",
    head: <VisuallyHidden>{t("col_select")}</VisuallyHidden>,
    width: "22px",
    cell: (debt) => (
      <Checkbox
        size="xs"
        disabled={debt.state !== "open"}
        checked={selected.has(debt.id)}
        onChange={(event) => select(debt.id, event.currentTarget.checked)}
        aria-label={t("select", { client: clientOf(debt, t) })}
      />
    ),
  };
  return [choice, ...columns];
}

function TwoLines({ first, second }: { first: ReactNode; second: ReactNode }) {
  return (
    <>
      <Text size="sm" truncate component="div">
        {first}
      </Text>
      <Text
        size="xs"
        c="dimmed"
        truncate
        component="div"
        title={typeof second === "string" ? second : undefined}
      >
        {second}
      </Text>
    </>
  );
}

function Met({ debt, names }: { debt: Debt; names: Names }) {
  return (
    <>
      <ReactionBadge reaction={debt.reaction} />
      <Text size="xs" c="dimmed" truncate component="div" pl={24}>
        <Reacted debt={debt} />
        {debt.state === "open" ? <Due debt={debt} /> : <End debt={debt} names={names} />}
      </Text>
    </>
  );
}

/** How soon we did anything at all. */
function Reacted({ debt }: { debt: Debt }) {
  const t = words.use();
  if (debt.reaction_ms === null) return null;
  const length = clock(debt.reaction_ms);
  return <span title={t("reaction_time")}>{`${t("first_reaction", { length })} · `}</span>;
}

function Due({ debt }: { debt: Debt }) {
  const t = words.use();
  const now = useServerNow();
  if (debt.due_at === null) return null;
  const isOver = debt.due_at <= now;
  const when = relative(debt.due_at, now);
  if (!isOver) return <span title={fullMoment(debt.due_at)}>{t("due", { when })}</span>;
  return (
    <Text span inherit c="var(--mantine-color-red-text)" fw={600} title={fullMoment(debt.due_at)}>
      <IconAlertTriangle size={12} aria-hidden style={{ verticalAlign: -1 }} />{" "}
      {t("overdue", { when: moment(debt.due_at, now) })}
    </Text>
  );
}

function End({ debt, names }: { debt: Debt; names: Names }) {
  const by = debt.settled_by === null ? "" : names.agent(debt.settled_by);
  const parts = [debt.settled_at === null ? "" : moment(debt.settled_at), by, debt.settled_reason];
  return <>{parts.filter(Boolean).join(" · ")}</>;
}

function HisCalls({ debt }: { debt: Debt }) {
  const t = words.use();
  const first = debt.first_at ?? debt.opened_at;
  const last = debt.last_at ?? debt.opened_at;
  const span = debt.calls > 1 ? `${moment(first)} – ${moment(last)}` : moment(first);
  const told = [t("calls", { count: debt.calls })];
  if (debt.waited_ms !== null) told.push(t("waited", { length: clock(debt.waited_ms) }));
  return (
    <TwoLines first={<span title={fullMoment(first)}>{span}</span>} second={told.join(", ")} />
  );
}

function rungText(debt: Debt, { t, d, names }: Pick<Means, "t" | "d" | "names">): string {
  const rung = debt.rung ?? [];
  if (rung.length === 0) return t("nobody_rung");
  return rung
    .map(({ agent, ring_ms, outcome }) => {
      const name = names.agent(agent);
      const seconds = Math.round((ring_ms ?? 0) / 1_000);
      if (seconds > 0) return t("ring", { name, seconds });
      return t("ring_without", {
        name,
        outcome: d(outcome === null ? "offer_ringing" : `offer_${outcome}`),
      });
    })
    .join(", ");
}

function OurTries({ debt }: { debt: Debt }) {
  const t = words.use();
  const d = debtWords.use();
  const now = useServerNow();
  const last = debt.tries?.at(-1);
  if (last === undefined) {
    return <TwoLines first={t("tries_none")} second={nextTry(debt, t, now, "first_try")} />;
  }
  const outcome = last.outcome === null ? d("try_under_way") : d(`try_${last.outcome}`);
  const count = t("tries", { count: debt.dials });
  return (
    <TwoLines
      first={outcome}
      second={[count, nextTry(debt, t, now, "next_try")].filter(Boolean).join(", ")}
    />
  );
}

function nextTry(debt: Debt, t: Say, now: number, told: "first_try" | "next_try"): string {
  const next = debt.state === "open" ? debt.next_attempt_at : null;
  return next !== null && next > now ? t(told, { when: relative(next, now) }) : "";
}

interface RowActionsProps {
  debt: Debt;
  t: Say;
  d: SayDebt;
  actions: DebtActions;
  open: (debt: string) => void;
}

function RowActions({ debt, t, d, actions, open }: RowActionsProps) {
  const isOpen = debt.state === "open";
  const client = clientOf(debt, t);
  return (
    <Group gap={2} wrap="nowrap" justify="flex-end">
      {isOpen && may("debts.callback") && (
        <ActionIcon
          title={d("call_now")}
          variant="subtle"
          aria-label={`${d("call_now")}: ${client}`}
          onClick={() => actions.callNow([debt.id])}
        >
          <IconPhoneOutgoing size={18} />
        </ActionIcon>
      )}
      <RowMenu label={t("actions", { client })} icon={<IconDots size={18} />}>
        {() => (
          <>
            <Menu.Item
              leftSection={<IconListDetails size={16} aria-hidden />}
              onClick={() => open(debt.id)}
            >
              {t("open")}
            </Menu.Item>
            {isOpen && may("debts.assign") && (
              <Menu.Item
                leftSection={<IconUserShare size={16} aria-hidden />}
                onClick={() => actions.askAssign([debt.id])}
              >
                {d("assign")}
              </Menu.Item>
            )}
            {isOpen && may("debts.waive") && (
              <Menu.Item
                color="red"
                leftSection={<IconTrashX size={16} aria-hidden />}
                onClick={() => actions.askWaive([debt.id])}
              >
                {d("waive")}
              </Menu.Item>
            )}
          </>
        )}
      </RowMenu>
    </Group>
  );
}
