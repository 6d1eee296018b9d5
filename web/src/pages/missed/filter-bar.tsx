/** How the list is narrowed and sorted. */
import {
  ActionIcon,
  Button,
  Chip,
  Collapse,
  Group,
  MultiSelect,
  Select,
  Stack,
  Switch,
  TextInput,
  Tooltip,
} from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconAdjustments, IconSortAscending, IconSortDescending } from "@tabler/icons-react";
import { useMemo } from "react";
import type { Reaction } from "@/api/generated";
import { useSection } from "@/live/live";
import { REACTIONS, ReactionIcon, reactionColour } from "@/parts/debts/reaction";
import { words as debtWords } from "@/parts/debts/words";
import { addressOf, type Filters, PERIODS, type Period, REASONS, SORTS } from "./filters";
import { words } from "./words";

interface Props {
  filters: Filters;
  change: (changed: Partial<Filters>) => void;
  reset: () => void;
}

export function FilterBar({ filters, change, reset }: Props) {
  const t = words.use();
  const narrowed = Object.keys(addressOf(filters)).length > 0;
  const beneath = filters.group ?? filters.owner ?? filters.reason[0];
  const [more, toggle] = useDisclosure(beneath !== undefined || filters.short);
  return (
    <Stack gap={8}>
      <Group gap={8} align="flex-end">
        <PeriodChoice filters={filters} change={change} />
        <QueueChoice filters={filters} change={change} />
        <SortChoice filters={filters} change={change} />
        <Button
          variant={more ? "light" : "default"}
          size="xs"
          leftSection={<IconAdjustments size={16} aria-hidden />}
          aria-expanded={more}
          onClick={toggle.toggle}
        >
          {t("more_filters")}
        </Button>
        {narrowed && (
          <Button variant="subtle" size="xs" color="gray" onClick={reset}>
            {t("reset")}
          </Button>
        )}
      </Group>
      <Collapse expanded={more}>
        <MoreChoices filters={filters} change={change} />
      </Collapse>
      {!filters.short && <ReactionChoice filters={filters} change={change} />}
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
      w={170}
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

function SortChoice({ filters, change }: ChoiceProps) {
  const t = words.use();
  if (filters.short) return null;
  return (
    <Group gap={4} wrap="nowrap">
      <Select
        size="xs"
        w={190}
        aria-label={t("sort")}
        allowDeselect={false}
        data={SORTS.map((value) => ({ value, label: t(`sort_${value}`) }))}
        value={filters.sort}
        onChange={(sort) => change({ sort: sort as Filters["sort"] })}
      />
      <Tooltip label={t(filters.ascending ? "ascending" : "descending")}>
        <ActionIcon
          variant="default"
          size={30}
          aria-label={t(filters.ascending ? "ascending" : "descending")}
          onClick={() => change({ ascending: !filters.ascending })}
        >
          {filters.ascending ? <IconSortAscending size={16} /> : <IconSortDescending size={16} />}
        </ActionIcon>
      </Tooltip>
    </Group>
  );
}

function MoreChoices({ filters, change }: ChoiceProps) {
  const t = words.use();
  const d = debtWords.use();
  const groups = useOptions(useSection("groups"));
  const agents = useOptions(useSection("agents"));
  return (
    <Group gap={8} align="center">
      <Select
        size="xs"
        w={170}
        aria-label={t("group")}
        placeholder={t("any_group")}
        data={groups}
        value={filters.group ?? null}
        onChange={(group) => change({ group: group ?? undefined })}
        clearable
        searchable
        limit={100}
      />
      <Select
        size="xs"
        w={190}
        aria-label={t("owner")}
        placeholder={t("any_owner")}
        data={agents}
        value={filters.owner ?? null}
        onChange={(owner) => change({ owner: owner ?? undefined })}
        clearable
        searchable
        limit={100}
      />
      <MultiSelect
        size="xs"
        w={300}
        aria-label={t("reason")}
        placeholder={filters.reason.length === 0 ? t("any_reason") : ""}
        data={REASONS.map((value) => ({ value, label: d(`reason_${value}`) }))}
        value={filters.reason}
        onChange={(reason) => change({ reason: reason as Filters["reason"] })}
        clearable
      />
      <Switch
        size="sm"
        label={t("short")}
        checked={filters.short}
        onChange={(event) => change({ short: event.currentTarget.checked })}
      />
    </Group>
  );
}

function ReactionChoice({ filters, change }: ChoiceProps) {
  const t = words.use();
  const d = debtWords.use();
  return (
    <Chip.Group
      multiple
      value={filters.reaction}
      onChange={(reaction) => change({ reaction: reaction as Reaction[] })}
    >
      <Group gap={6} role="group" aria-label={t("reaction")}>
        {REACTIONS.map((reaction) => (
          <Chip
            key={reaction}
            value={reaction}
            size="xs"
            variant="light"
            color={reactionColour(reaction)}
            icon={<ReactionIcon reaction={reaction} size={14} />}
          >
            <Group gap={4} wrap="nowrap" component="span">
              {!filters.reaction.includes(reaction) && (
                <ReactionIcon reaction={reaction} size={14} />
              )}
              <span title={d(reaction)}>{d(`chip_${reaction}`)}</span>
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
