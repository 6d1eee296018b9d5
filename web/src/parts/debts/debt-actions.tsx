/** Acting on debts: call back now, assign, waive. One or many, from the board or from the list. */
import { Button, Group, Select, Stack, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useCallback, useMemo, useState } from "react";
import { problem } from "@/api/client";
import { askForCallback, assign, waive } from "@/api/generated";
import { useLive } from "@/live/live";
import { Dialog } from "@/parts/dialog";
import { ReasonInput } from "@/parts/reason-input";
import { type Ends, inTurn } from "./in-turn";
import { words } from "./words";

export interface DebtActions {
  callNow: (debts: readonly string[]) => void;
  askAssign: (debts: readonly string[]) => void;
  askWaive: (debts: readonly string[]) => void;
  /** To be put somewhere into the page. */
  dialogs: ReactNode;
}

type Asked = { kind: "assign" | "waive"; debts: readonly string[] } | null;

export function useDebtActions(onDone?: () => void): DebtActions {
  const t = words.use();
  const queries = useQueryClient();
  const [asked, setAsked] = useState<Asked>(null);
  const finish = useCallback(
    (ends: Ends, done: string) => {
      tell(t, ends, done);
      onDone?.();
      // What the live board shows comes by itself.
      void queries.invalidateQueries(ALL_OF_DEBTS);
    },
    [t, queries, onDone],
  );
  const callNow = useCallback(
    async (debts: readonly string[]) => {
      let attempting = false;
      const ends = await inTurn(debts, async (debt) => {
        const reply = await askForCallback({ path: { debt }, throwOnError: true });
        attempting = reply.data.attempting;
      });
      const one = t(attempting ? "calling" : "in_line");
      finish(ends, debts.length === 1 ? one : t("asked", { count: ends.done }));
    },
    [t, finish],
  );
  async function perform(value: string) {
    if (asked === null) return;
    const ends = await inTurn(asked.debts, (debt) =>
      asked.kind === "assign"
        ? assign({ path: { debt }, body: { owner: value }, throwOnError: true })
        : waive({ path: { debt }, body: { reason: value }, throwOnError: true }),
    );
    setAsked(null);
    finish(ends, t("done", { count: ends.done }));
  }
  const close = () => setAsked(null);
  const count = asked?.debts.length ?? 0;
  const dialogs = (
    <>
      <Dialog opened={asked?.kind === "assign"} close={close} title={t("assign_title", { count })}>
        <AssignForm onDone={perform} onCancel={close} />
      </Dialog>
      <Dialog opened={asked?.kind === "waive"} close={close} title={t("waive_title", { count })}>
        <WaiveForm onDone={perform} onCancel={close} />
      </Dialog>
    </>
  );
  return {
    callNow: useCallback((debts) => void callNow(debts), [callNow]),
    askAssign: useCallback((debts) => setAsked({ kind: "assign", debts }), []),
    askWaive: useCallback((debts) => setAsked({ kind: "waive", debts }), []),
    dialogs,
  };
}

/** Lists of debts of every page, and what is told of one of them. */
export const ALL_OF_DEBTS = {
  predicate: ({ queryKey }: { queryKey: readonly unknown[] }) => {
    const first = queryKey[0] as { _id?: string } | undefined;
    return ["readDebts", "readDebt", "explainDebt"].includes(first?._id ?? "");
  },
};

function tell(t: ReturnType<typeof words.use>, ends: Ends, done: string) {
  if (ends.done > 0) notifications.show({ message: done, color: "teal" });
  if (ends.failures.length > 0) {
    const why = problem(ends.failures[0])?.message ?? t("failed");
    notifications.show({
      message: t("not_done", { count: ends.failures.length, why }),
      color: "red",
      autoClose: 10_000,
    });
  }
}

interface FormProps {
  onDone: (value: string) => Promise<void>;
  onCancel: () => void;
}

function AssignForm({ onDone, onCancel }: FormProps) {
  const t = words.use();
  const agents = useLive((live) => live.board.sections.agents);
  const [owner, setOwner] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const people = useMemo(
    () => Object.entries(agents).map(([value, row]) => ({ value, label: row.name })),
    [agents],
  );
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (owner === null) return;
        setBusy(true);
        void onDone(owner).finally(() => setBusy(false));
      }}
    >
      <Stack>
        <Select
          label={t("owner")}
          data={people}
          value={owner}
          onChange={setOwner}
          searchable
          limit={100}
          nothingFoundMessage={t("no_agents")}
          data-autofocus
        />
        <Buttons go={t("assign_do")} able={owner !== null} busy={busy} onCancel={onCancel} />
      </Stack>
    </form>
  );
}

function WaiveForm({ onDone, onCancel }: FormProps) {
  const t = words.use();
  const [reason, setReason] = useState("");
  const [busy, setBusy] = useState(false);
  const said = reason.trim();
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (said === "") return;
        setBusy(true);
        void onDone(said).finally(() => setBusy(false));
      }}
    >
      <Stack>
        <Text size="sm">{t("waive_why")}</Text>
        <ReasonInput
          label={t("reason")}
          description={said === "" ? t("reason_needed") : undefined}
          common={[
            t("common_wrong_number"),
            t("common_spam"),
            t("common_handled"),
            t("common_asked_not"),
          ]}
          value={reason}
          onChange={setReason}
        />
        <Buttons go={t("waive_do")} able={said !== ""} busy={busy} onCancel={onCancel} danger />
      </Stack>
    </form>
  );
}

interface ButtonsProps {
  go: string;
  able: boolean;
  busy: boolean;
  danger?: boolean;
  onCancel: () => void;
}

function Buttons({ go, able, busy, danger = false, onCancel }: ButtonsProps) {
  const t = words.use();
  return (
    <Group justify="flex-end">
      <Button variant="default" onClick={onCancel}>
        {t("cancel")}
      </Button>
      <Button type="submit" disabled={!able} loading={busy} color={danger ? "red" : undefined}>
        {go}
      </Button>
    </Group>
  );
}
