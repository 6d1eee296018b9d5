/** A month as it will be: what is open on each day, computed by the deciding core itself. */
import {
  ActionIcon,
  Badge,
  Button,
  Group,
  Modal,
  Paper,
  SegmentedControl,
  Stack,
  Text,
  TextInput,
  Title,
  UnstyledButton,
  VisuallyHidden,
} from "@mantine/core";
import { IconCalendarPlus, IconChevronLeft, IconChevronRight } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { problem } from "@/api/client";
import { type DayPreview, previewHours } from "@/api/generated";
import { i18n } from "@/i18n/i18n";
import { useDraft } from "../plan/draft";
import type { Value } from "../plan/tree";
import { useAt, useTree } from "../plan/use-plan";
import { words } from "../words";
import classes from "./calendar.module.css";
import { dayNames } from "./hours";
import { CLOSED, DAYS, datesOf, dayAfter, monthAfter, writeDates } from "./week";

const LATER_MAX = 31;

export function CalendarOf({ hours, settled }: { hours: string; settled: Value | undefined }) {
  const t = words.use();
  const day = dayNames.use();
  const [month, setMonth] = useState(() => new Date().toISOString().slice(0, 7));
  const [chosen, setChosen] = useState<DayPreview | null>(null);
  const tree = useTree();
  const drafted = useDraft((draft) => draft.base !== "");
  const { value: holidays } = useAt(["holidays"]);
  const preview = useQuery({
    queryKey: ["hours-preview", hours, month, settled, holidays],
    queryFn: async ({ signal }) => {
      const body = { hours, month, ...(drafted ? { tree } : {}) };
      return (await previewHours({ body, signal, throwOnError: true })).data;
    },
    placeholderData: (before) => before,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });
  const days = preview.data?.days ?? [];
  const lead =
    days[0] === undefined ? 0 : (new Date(`${days[0].date}T00:00:00Z`).getUTCDay() + 6) % 7;
  const name = new Intl.DateTimeFormat(i18n.language, {
    month: "long",
    year: "numeric",
    timeZone: "UTC",
  }).format(new Date(`${month}-01T00:00:00Z`));
  return (
    <Paper withBorder p="md" flex="1 1 480px" component="section" aria-label={t("calendar")}>
      <Group justify="space-between" mb="xs">
        <ActionIcon
          variant="subtle"
          aria-label={t("month_before")}
          onClick={() => setMonth(monthAfter(month, -1))}
        >
          <IconChevronLeft size={18} />
        </ActionIcon>
        <Title order={2} size="h5" aria-live="polite">
          {name}
        </Title>
        <ActionIcon
          variant="subtle"
          aria-label={t("month_after")}
          onClick={() => setMonth(monthAfter(month, 1))}
        >
          <IconChevronRight size={18} />
        </ActionIcon>
      </Group>
      {preview.error !== null && (
        <Text c="red" size="sm" maw={480}>
          {problem(preview.error)?.message}
        </Text>
      )}
      <div className={classes.grid}>
        {DAYS.map((each) => (
          <Text key={each} size="xs" c="dimmed" ta="center" aria-hidden>
            {day(each)}
          </Text>
        ))}
        {Array.from({ length: lead }, (_, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: empty cells
          <span key={at} />
        ))}
        {days.map((each) => (
          <UnstyledButton
            key={each.date}
            className={classes.day}
            data-closed={each.open.length === 0 || undefined}
            data-holiday={each.is_holiday || undefined}
            onClick={() => setChosen(each)}
          >
            <VisuallyHidden>{dayText(each.date)} </VisuallyHidden>
            <span className={classes.number}>
              {Number(each.date.slice(8))}
              {each.is_holiday && (
                <>
                  <span aria-hidden> ★</span>
                  <VisuallyHidden> {t("holiday")}</VisuallyHidden>
                </>
              )}
            </span>
            {each.open.length === 0 ? (
              <span className={classes.hours}>{t("closed")}</span>
            ) : (
              each.open.map((interval) => (
                <span key={interval} className={classes.hours}>
                  {interval}
                </span>
              ))
            )}
          </UnstyledButton>
        ))}
      </div>
      <Text size="xs" c="dimmed" mt="xs">
        {t("calendar_why")}
      </Text>
      {chosen !== null && (
        <HolidayForm
          first={chosen.date}
          holiday={chosen.is_holiday}
          onClose={() => setChosen(null)}
        />
      )}
    </Paper>
  );
}

function dayText(day: string): string {
  return new Intl.DateTimeFormat(i18n.language, {
    weekday: "long",
    month: "long",
    timeZone: "UTC",
  }).format(new Date(`${day}T00:00:00Z`));
}

interface FormProps {
  first: string;
  holiday: boolean;
  onClose: () => void;
}

function HolidayForm({ first, holiday, onClose }: FormProps) {
  const t = words.use();
  const { value, set } = useAt(["holidays"]);
  const dates = datesOf(value);
  const known = dates.get(first);
  const [from, setFrom] = useState(first);
  const [until, setUntil] = useState(first);
  const [kind, setKind] = useState(known !== undefined && known !== CLOSED ? "open" : "closed");
  const [open, setOpen] = useState(known !== undefined && known !== CLOSED ? known : "09:00-15:00");
  function write(what: string | null) {
    const next = new Map(dates);
    for (let day = from, count = 0; day <= until && count < LATER_MAX; count += 1) {
      if (what === null) next.delete(day);
      else next.set(day, what);
      day = dayAfter(day);
    }
    set(writeDates(next));
    onClose();
  }
  return (
    <Modal opened onClose={onClose} title={t("holiday_title")}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          write(kind === "closed" ? CLOSED : open);
        }}
      >
        <Stack>
          <Group grow>
            <TextInput
              type="date"
              label={t("from_day")}
              required
              value={from}
              onChange={(event) => setFrom(event.currentTarget.value)}
            />
            <TextInput
              type="date"
              label={t("until_day")}
              required
              min={from}
              value={until}
              onChange={(event) => setUntil(event.currentTarget.value)}
            />
          </Group>
          <SegmentedControl
            aria-label={t("holiday_kind")}
            value={kind}
            onChange={setKind}
            data={[
              { value: "closed", label: t("closed_all_day") },
              { value: "open", label: t("open_otherwise") },
            ]}
          />
          {kind === "open" && (
            <TextInput
              label={t("open_hours")}
              required
              value={open}
              placeholder="09:00-15:00"
              onChange={(event) => setOpen(event.currentTarget.value)}
            />
          )}
          <Group justify="space-between">
            <Button
              variant="default"
              disabled={!holiday && known === undefined}
              onClick={() => write(null)}
            >
              {t("no_holiday")}
            </Button>
            <Button type="submit">{t("set_holiday")}</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

/** All holidays of the plan, for all hours that know them. */
export function HolidayList() {
  const t = words.use();
  const { value, flaw } = useAt(["holidays"]);
  const [adding, setAdding] = useState(false);
  const written = Object.entries((value ?? {}) as Record<string, Value>);
  return (
    <Paper withBorder p="md" component="section" aria-label={t("holidays")}>
      <Group justify="space-between" mb="xs">
        <Title order={2} size="h5">
          {t("holidays")}
        </Title>
        <Button
          size="xs"
          variant="light"
          leftSection={<IconCalendarPlus size={14} aria-hidden />}
          onClick={() => setAdding(true)}
        >
          {t("add_holiday")}
        </Button>
      </Group>
      {flaw !== undefined && <Text c="red">{flaw}</Text>}
      <Group gap="xs">
        {written.length === 0 && (
          <Text c="dimmed" size="sm">
            {t("none_yet")}
          </Text>
        )}
        {written.map(([dates, open]) => (
          <Badge
            key={dates}
            variant="light"
            size="lg"
            tt="none"
            color={open === CLOSED ? "red" : "blue"}
          >
            {dates.replace("..", " … ")}: {open === CLOSED ? t("closed") : String(open)}
          </Badge>
        ))}
      </Group>
      {adding && (
        <HolidayForm
          first={new Date().toISOString().slice(0, 10)}
          holiday={false}
          onClose={() => setAdding(false)}
        />
      )}
    </Paper>
  );
}
