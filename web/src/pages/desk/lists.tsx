/** Whom to call next, my calls, and what I let ring. */
import { Badge, Button, Collapse, Group, Paper, Stack, Tabs, Text, Tooltip } from "@mantine/core";
import { IconClockExclamation, IconPhone } from "@tabler/icons-react";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import {
  readMyCallsInfiniteOptions,
  readMyMissedInfiniteOptions,
  readNextOptions,
} from "@/api/generated/@tanstack/react-query.gen";
import type { MissedByMe, Next } from "@/api/generated/types.gen";
import { Failure } from "@/app/outcomes";
import { clock, fullMoment, moment, relative } from "@/i18n/format";
import { language } from "@/i18n/i18n";
import { useServerNow } from "@/live/live";
import { acts, attempt } from "./acts";
import { Client, PastCalls } from "./history";
import { OpeningLine } from "./opening";
import type { AtDesk } from "./use-desk";
import { wordFor, words } from "./words";

const PAGE = 30;
const NEXT_EVERY_MS = 30_000;

export function Lists({ at, mayDial }: { at: AtDesk; mayDial: boolean }) {
  const t = words.use();
  const next = useQuery({
    ...readNextOptions({ query: { lang: language() } }),
    refetchInterval: NEXT_EVERY_MS,
  });
  const count = next.data?.items.length ?? 0;
  return (
    <Paper withBorder p="md" component="section" aria-label={t("lists")}>
      <Tabs defaultValue="next" keepMounted={false} styles={{ tab: { paddingInline: 10 } }}>
        <Tabs.List mb="xs">
          <Tabs.Tab
            value="next"
            rightSection={
              count > 0 && (
                <Badge size="sm" variant="light" color="red">
                  {count}
                </Badge>
              )
            }
          >
            {t("next")}
          </Tabs.Tab>
          <Tabs.Tab value="mine">{t("my_calls")}</Tabs.Tab>
          <Tabs.Tab value="missed">{t("missed_by_me")}</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="next">
          {next.isError && <Failure error={next.error} again={() => void next.refetch()} />}
          {next.data !== undefined && count === 0 && <Text c="dimmed">{t("next_none")}</Text>}
          <Rows label={t("next")}>
            {next.data?.items.map((one) => (
              <NextRow key={one.debt ?? one.call} at={at} next={one} mayDial={mayDial} />
            ))}
          </Rows>
        </Tabs.Panel>
        <Tabs.Panel value="mine">
          <Mine />
        </Tabs.Panel>
        <Tabs.Panel value="missed">
          <Missed />
        </Tabs.Panel>
      </Tabs>
    </Paper>
  );
}

function Rows({ label, children }: { label: string; children: ReactNode }) {
  return (
    <Stack gap={0} component="ul" p={0} m={0} style={{ listStyle: "none" }} aria-label={label}>
      {children}
    </Stack>
  );
}

const LINE = { borderTop: "1px solid var(--mantine-color-default-border)" };

function NextRow({ at, next, mayDial }: { at: AtDesk; next: Next; mayDial: boolean }) {
  const t = words.use();
  const now = useServerNow();
  const [open, setOpen] = useState(false);
  const [busy, setBusy] = useState(false);
  const overdue = next.due_at <= now;
  const queue = at.desk.queues.find((one) => one.id === next.queue)?.name ?? next.queue;
  async function callNow() {
    setBusy(true);
    const { debt, number } = next;
    // Who is owed and dialled by me is called at once by my own telephone, and his debt is settled.
    if (number) await attempt(() => acts.dial(number));
    else if (debt !== null) await attempt(() => acts.callBack(debt));
    setBusy(false);
  }
  return (
    <Stack component="li" gap={4} py={8} style={LINE}>
      <Group justify="space-between" wrap="nowrap" gap="xs">
        <Client number={next.number ?? null} name={next.name ?? null} />
        <Button
          size="xs"
          disabled={!mayDial}
          loading={busy}
          leftSection={<IconPhone size={16} aria-hidden />}
          aria-label={t("call_now_whom", { name: next.name || (next.number ?? "") })}
          onClick={() => void callNow()}
        >
          {t("call_now")}
        </Button>
      </Group>
      <Group gap={6}>
        <Tooltip label={fullMoment(next.due_at)}>
          <Badge
            variant="light"
            tt="none"
            color={overdue ? "red" : "gray"}
            leftSection={overdue && <IconClockExclamation size={14} aria-hidden />}
          >
            {t(overdue ? "overdue" : "due", { when: relative(next.due_at, now) })}
          </Badge>
        </Tooltip>
        <Text size="xs" c="dimmed">
          {next.debt === null
            ? t("promised")
            : t("owed", { when: moment(next.missed_at ?? 0, now), count: next.calls })}
          {next.attempts > 0 && ` · ${t("attempts", { count: next.attempts })}`}
          {queue !== "" && ` · ${queue}`}
          {!next.mine && ` · ${t("of_my_group")}`}
        </Text>
        <Button
          size="compact-xs"
          variant="subtle"
          aria-expanded={open}
          onClick={() => setOpen(!open)}
        >
          {t("opening_short")}
        </Button>
      </Group>
      {next.comment !== "" && <Text size="sm">{next.comment}</Text>}
      <Collapse expanded={open}>
        <OpeningLine debt={next.debt ?? next.call} proposed={next.opening} />
      </Collapse>
    </Stack>
  );
}

function Mine() {
  const t = words.use();
  const { data, error, refetch, ...more } = useInfiniteQuery({
    ...readMyCallsInfiniteOptions({ query: { limit: PAGE } }),
    initialPageParam: {},
    getNextPageParam: (last) => last.next ?? undefined,
  });
  const items = data?.pages.flatMap((page) => page.items) ?? [];
  if (error !== null) return <Failure error={error} again={() => void refetch()} />;
  return (
    <>
      {data !== undefined && items.length === 0 && <Text c="dimmed">{t("my_calls_none")}</Text>}
      <PastCalls items={items} withClient />
      <More {...more} />
    </>
  );
}

function Missed() {
  const t = words.use();
  const { data, error, refetch, ...more } = useInfiniteQuery({
    ...readMyMissedInfiniteOptions({ query: { limit: PAGE } }),
    initialPageParam: {},
    getNextPageParam: (last) => last.next ?? undefined,
  });
  const items = data?.pages.flatMap((page) => page.items) ?? [];
  if (error !== null) return <Failure error={error} again={() => void refetch()} />;
  return (
    <>
      {data !== undefined && items.length === 0 && <Text c="dimmed">{t("missed_none")}</Text>}
      <Rows label={t("missed_by_me")}>
        {items.map((one) => (
          <MissedRow key={one.offer} missed={one} />
        ))}
      </Rows>
      <More {...more} />
    </>
  );
}

function MissedRow({ missed }: { missed: MissedByMe }) {
  const t = words.use();
  const state = missed.state;
  return (
    <Stack component="li" gap={0} py={6} style={LINE}>
      <Group justify="space-between" wrap="nowrap" gap="xs">
        <Client number={missed.number ?? null} name={missed.name ?? null} />
        <Text size="sm" c="dimmed" title={fullMoment(missed.at)}>
          {moment(missed.at)}
        </Text>
      </Group>
      <Text size="xs" c="dimmed">
        {t("rang_for", { length: clock(missed.ring_ms ?? 0) })} ·{" "}
        {state === null ? t("direction_callback") : wordFor(t, `outcome_${state}`, state)}
      </Text>
    </Stack>
  );
}

function More({
  hasNextPage,
  isFetchingNextPage,
  fetchNextPage,
}: {
  hasNextPage: boolean;
  isFetchingNextPage: boolean;
  fetchNextPage: () => unknown;
}) {
  const t = words.use();
  if (!hasNextPage) return null;
  return (
    <Button variant="subtle" size="xs" loading={isFetchingNextPage} onClick={() => fetchNextPage()}>
      {t("more")}
    </Button>
  );
}
