/** The columns of the list of calls. */
import { Text } from "@mantine/core";
import type { ReactNode } from "react";
import type { Call, PlacedCall } from "@/api/generated";
import { clock, fullMoment, moment, phoneNumber } from "@/i18n/format";
import { CallLink } from "@/parts/call-link";
import { CallStanding, type Standing, standingOf } from "@/parts/call-state/call-state";
import { words as debtWords } from "@/parts/debts/words";
import type { Names } from "@/parts/names";
import { useReasons } from "@/parts/reasons/reasons";
import type { Column } from "@/parts/virtual-table/virtual-table";
import type { words } from "./words";

type Say = ReturnType<typeof words.use>;

/** An inbound call or one that an agent dialled, as far as the list shows it. */
export interface Row {
  id: string;
  at: number;
  standing: Standing;
  why: string | null;
  number: string | null;
  name: string | null;
  did: string | null;
  queue: string;
  agent: string | null;
  waitMs: number | null;
  talkMs: number | null;
  result: string | null;
}

export function rowOfCall(call: Call): Row {
  return {
    id: call.id,
    at: call.received_at,
    standing: call.state,
    why: call.miss_reason === null ? null : `reason_${call.miss_reason}`,
    number: call.number ?? null,
    name: call.name ?? null,
    did: call.did,
    queue: call.queue,
    agent: call.agent,
    waitMs: call.wait_ms,
    talkMs: call.talk_ms,
    result: call.result?.result ?? null,
  };
}

export function rowOfPlaced(call: PlacedCall): Row {
  const standing = standingOf(call.outcome);
  return {
    id: call.id,
    at: call.placed_at,
    standing,
    why: standing === "not_reached" ? `try_${call.outcome}` : null,
    number: call.number ?? null,
    name: call.name ?? null,
    did: call.did,
    queue: call.queue,
    agent: call.agent,
    waitMs: call.wait_ms,
    talkMs: call.talk_ms,
    result: null,
  };
}

export function columnsOf(t: Say, names: Names): Column<Row>[] {
  return [
    {
      key: "state",
      head: t("col_state"),
      width: "minmax(170px, 1.2fr)",
      cell: (row) => (
        <TwoLines first={<CallStanding standing={row.standing} />} second={<Why why={row.why} />} />
      ),
    },
    {
      key: "when",
      head: t("col_when"),
      width: "minmax(120px, 0.8fr)",
      cell: (row) => (
        <CallLink call={row.id} title={fullMoment(row.at)}>
          {moment(row.at)}
        </CallLink>
      ),
    },
    {
      key: "client",
      head: t("col_client"),
      width: "minmax(150px, 1.1fr)",
      cell: (row) => (
        <TwoLines
          first={
            <Text size="sm" fw={600} truncate component="span">
              {phoneNumber(row.number) || t("unknown")}
            </Text>
          }
          second={row.name}
        />
      ),
    },
    {
      key: "line",
      head: t("col_line"),
      width: "minmax(130px, 1fr)",
      cell: (row) => <TwoLines first={names.queue(row.queue)} second={phoneNumber(row.did)} />,
    },
    {
      key: "agent",
      head: t("col_agent"),
      width: "minmax(120px, 0.9fr)",
      cell: (row) => (row.agent === null ? t("nobody") : names.agent(row.agent)),
    },
    {
      key: "wait",
      head: t("col_wait"),
      width: "80px",
      align: "end",
      cell: (row) => (row.waitMs === null ? t("nobody") : clock(row.waitMs)),
    },
    {
      key: "talk",
      head: t("col_talk"),
      width: "90px",
      align: "end",
      cell: (row) => (row.talkMs === null ? t("nobody") : clock(row.talkMs)),
    },
    {
      key: "result",
      head: <span style={{ paddingInlineStart: 12 }}>{t("col_result")}</span>,
      width: "minmax(110px, 0.9fr)",
      cell: (row) => <Result result={row.result} />,
    },
  ];
}

function TwoLines({ first, second }: { first: ReactNode; second: ReactNode }) {
  return (
    <div style={{ minWidth: 0 }}>
      {typeof first === "string" ? (
        <Text size="sm" truncate>
          {first}
        </Text>
      ) : (
        first
      )}
      <Text size="xs" c="dimmed" truncate component="div">
        {second}
      </Text>
    </div>
  );
}

function Why({ why }: { why: string | null }) {
  const d = debtWords.use();
  return why === null ? null : d(why as Parameters<typeof d>[0]);
}

function Result({ result }: { result: string | null }) {
  const reasons = useReasons();
  return (
    <Text size="sm" ps={12} truncate>
      {result === null ? "" : reasons(result)}
    </Text>
  );
}
