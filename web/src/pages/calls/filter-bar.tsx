/** How the list of calls is narrowed. */
import {
  ActionIcon,
  Button,
  Chip,
  Group,
  Pill,
  SegmentedControl,
  Select,
  Stack,
  TextInput,
} from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useMemo, useState } from "react";
import { problem } from "@/api/client";
import { findPersonMutation } from "@/api/generated/@tanstack/react-query.gen";
import { may } from "@/app/session";
import { useSection } from "@/live/live";
import { PERIODS, type Period } from "@/pages/missed/filters";
import {
  CALL_STATES,
  type CallState,
  StandingIcon,
  standingColour,
  words as stateWords,
} from "@/parts/call-state/call-state";
import { addressOf, type Filters, KINDS, type Kind } from "./filters";
import { words } from "./words";

interface Props {
  filters: Filters;
  change: (changed: Partial<Filters>) => void;
  reset: () => void;
}

export function FilterBar({ filters, change, reset }: Props) {
  const t = words.use();
  const narrowed = Object.keys(addressOf(filters)).length > 0;
  return (
    <Stack gap={8}>
      <Group gap={8} align="center">
        <SegmentedControl
          size="xs"
          aria-label={t("kind")}
          data={KINDS.map((value) => ({ value, label: t(value) }))}
          value={filters.kind}
          onChange={(kind) => change({ kind: kind as Kind })}
        />
        <PeriodChoice filters={filters} change={change} />
        {filters.kind === "inbound" && <QueueChoice filters={filters} change={change} />}
        <AgentChoice filters={filters} change={change} />
        <ClientChoice filters={filters} change={change} />
        {narrowed && (
          <Button variant="subtle" size="xs" color="gray" onClick={reset}>
            {t("reset")}
          </Button>
        )}
      </Group>
      {filters.kind === "inbound" && <StateChoice filters={filters} change={change} />}
    </Stack>
  );
}

type ChoiceProps = Omit<Props, "reset">;

function PeriodChoice({ filters, change }: ChoiceProps) {
  const t = words.use();
  return (
    <>
      <Select
        size="xs"
        w={130}
        aria-label={t("period")}
        allowDeselect={false}
        data={PERIODS.map((value) => ({ value, label: t(`period_${value}`) }))}
        value={filters.period}
        onChange={(period) => change({ period: period as Period })}
      />
      {filters.period === "days" &&
        (["from", "to"] as const).map((key) => (
          <TextInput
            key={key}
            size="xs"
            type="date"
            aria-label={t(key)}
            value={filters[key] ?? ""}
            onChange={(event) => change({ [key]: event.currentTarget.value || undefined })}
          />
        ))}
    </>
  );
}

function QueueChoice({ filters, change }: ChoiceProps) {
  const t = words.use();
  const data = useOptions(useSection("queues"));
  return (
    <Select
      size="xs"
      w={160}
      aria-label={t("queue")}
      placeholder={t("any_queue")}
      data={data}
      value={filters.queue ?? null}
      onChange={(queue) => change({ queue: queue ?? undefined })}
      clearable
      searchable
      limit={100}
    />
  );
}

function AgentChoice({ filters, change }: ChoiceProps) {
  const t = words.use();
  const data = useOptions(useSection("agents"));
  return (
    <Select
      size="xs"
      w={170}
      aria-label={t("agent")}
      placeholder={t("any_agent")}
      data={data}
      value={filters.agent ?? null}
      onChange={(agent) => change({ agent: agent ?? undefined })}
      clearable
      searchable
      limit={100}
    />
  );
}

function ClientChoice({ filters, change }: ChoiceProps) {
  const t = words.use();
  const [number, setNumber] = useState("");
  const find = useMutation({
    ...findPersonMutation(),
    onSuccess: (found) => {
      if (found.person !== null) change({ person: found.person, period: "all" });
    },
  });
  if (filters.person !== undefined) {
    return (
      <Pill
        size="md"
        withRemoveButton
        onRemove={() => change({ person: undefined })}
        removeButtonProps={{ "aria-label": t("all_clients"), tabIndex: 0 }}
      >
        {t("one_client")}
      </Pill>
    );
  }
  if (!may("numbers.see")) return null;
  function search(event: FormEvent) {
    event.preventDefault();
    if (number.trim() !== "") find.mutate({ body: { number } });
  }
  const nobody = find.isSuccess && find.data.person === null ? t("found_nobody") : undefined;
  const failed = find.isError ? (problem(find.error)?.message ?? String(find.error)) : undefined;
  return (
    <form onSubmit={search}>
      <TextInput
        size="xs"
        w={240}
        type="tel"
        autoComplete="off"
        aria-label={t("number")}
        placeholder={t("number_hint")}
        value={number}
        error={failed ?? nobody}
        onChange={(event) => {
          find.reset();
          setNumber(event.currentTarget.value);
        }}
        rightSection={
          <ActionIcon type="submit" variant="subtle" aria-label={t("find")}>
            <IconSearch size={16} aria-hidden />
          </ActionIcon>
        }
      />
    </form>
  );
}

function StateChoice({ filters, change }: ChoiceProps) {
  const t = words.use();
  const s = stateWords.use();
  return (
    <Chip.Group
      multiple
      value={filters.state}
      onChange={(state) => change({ state: state as CallState[] })}
    >
      <Group gap={6} role="group" aria-label={t("state")}>
        {CALL_STATES.map((state) => (
          <Chip
            key={state}
            value={state}
            size="xs"
            variant="light"
            color={standingColour(state)}
            icon={<StandingIcon standing={state} size={14} />}
          >
            <Group gap={4} wrap="nowrap" component="span">
              {!filters.state.includes(state) && <StandingIcon standing={state} size={14} />}
              {s(state)}
            </Group>
          </Chip>
        ))}
      </Group>
    </Chip.Group>
  );
}

function useOptions(rows: Record<string, { name: string }>) {
  return useMemo(
    () => Object.entries(rows).map(([value, row]) => ({ value, label: row.name || value })),
    [rows],
  );
}
