/** Opening hours, and a calendar of what they come to with the holidays. */
import { Alert, Group, Paper, Stack, Switch, Text, TextInput, Title } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { strings } from "@/i18n/strings";
import { NounPage } from "../plan/noun-page";
import { isMapping, valueAt } from "../plan/tree";
import { useAt } from "../plan/use-plan";
import { words } from "../words";
import { CalendarOf, HolidayList } from "./calendar";
import { CLOSED, DAYS, weekOf, writeWeek } from "./week";

export const dayNames = strings("days", {
  en: { mon: "Mon", tue: "Tue", wed: "Wed", thu: "Thu", fri: "Fri", sat: "Sat", sun: "Sun" },
  ru: { mon: "пн", tue: "вт", wed: "ср", thu: "чт", fri: "пт", sat: "сб", sun: "вс" },
});

export function HoursPage() {
  const day = dayNames.use();
  return (
    <NounPage
      noun="hours"
      file="HoursFile"
      fields={[]}
      columns={[
        {
          key: "week",
          show: (tree, id) => {
            const week = weekOf(valueAt(tree, ["hours", id])) ?? [];
            return (
              <Group gap="md">
                {DAYS.map((name, at) => (
                  <Text key={name} size="xs" c={week[at] ? undefined : "dimmed"}>
                    {day(name)} {week[at] || "—"}
                  </Text>
                ))}
              </Group>
            );
          },
        },
      ]}
      fresh={() => ({ "mon-fri": "09:00-18:00" })}
      head={<HolidayList />}
    >
      {(id) => <Week key={id} id={id} />}
    </NounPage>
  );
}

function Week({ id }: { id: string }) {
  const t = words.use();
  const day = dayNames.use();
  const { value, set, flaw } = useAt(["hours", id]);
  const week = weekOf(value);
  const knowsHolidays = !(isMapping(value) && value.holidays === false) && value !== "24/7";
  const [settled] = useDebouncedValue(value, 400);
  if (week === null) return <Alert color="yellow">{t("hours_odd")}</Alert>;
  const write = (next: string[]) => set(writeWeek(next, knowsHolidays));
  return (
    <Group align="flex-start" gap="md">
      <Paper withBorder p="md" w={300}>
        <Stack gap="xs">
          <Title order={2} size="h5">
            {t("hours.week")}
          </Title>
          {flaw !== undefined && <Text c="red">{flaw}</Text>}
          {DAYS.map((name, at) => (
            <Group key={name} wrap="nowrap">
              <Text w={28} size="sm" fw={600} component="label" htmlFor={`hours-${name}`}>
                {day(name)}
              </Text>
              <TextInput
                id={`hours-${name}`}
                size="xs"
                flex={1}
                value={week[at] ?? ""}
                placeholder={t("closed")}
                onChange={(event) => {
                  const text = event.currentTarget.value;
                  write(week.with(at, text === CLOSED ? "" : text));
                }}
              />
            </Group>
          ))}
          <Text size="xs" c="dimmed">
            {t("hours_how")}
          </Text>
          <Switch
            label={t("hours.holidays")}
            checked={knowsHolidays}
            onChange={(event) => set(writeWeek(week, event.currentTarget.checked))}
          />
        </Stack>
      </Paper>
      <CalendarOf hours={id} settled={settled} />
    </Group>
  );
}
