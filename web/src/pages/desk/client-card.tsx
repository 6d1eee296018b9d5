/** The client of the call: how often we met, what we owe him, and all that was. */
import { Alert, Button, Group, Paper, Stack, Text, Title } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { readPersonInfiniteOptions } from "@/api/generated/@tanstack/react-query.gen";
import type { Card } from "@/api/generated/types.gen";
import { relative, whole } from "@/i18n/format";
import { useServerNow } from "@/live/live";
import { PastCalls } from "./history";
import type { DeskCall } from "./model";
import type { AtDesk } from "./use-desk";
import { useKnown } from "./use-known";
import { words } from "./words";

const PAGE = 20;

export function ClientCard({ at, call }: { at: AtDesk; call: DeskCall }) {
  const t = words.use();
  const { card, person } = useKnown(at, call);
  return (
    <Paper withBorder p="md" component="section" aria-label={t("client")}>
      <Stack gap="sm">
        <Title order={2} size="h4">
          {t("client")}
        </Title>
        {card === null || person === null ? (
          <Text c="dimmed">{t(person === null ? "no_person" : "first_call")}</Text>
        ) : (
          <>
            <Figures card={card} />
            {card.debt != null && <Owed card={card} />}
            <History person={person} />
          </>
        )}
      </Stack>
    </Paper>
  );
}

function Figures({ card: { counts } }: { card: Card }) {
  const t = words.use();
  const figures = [
    ["count_calls", counts.calls],
    ["count_answered", counts.answered],
    ["count_callbacks", counts.callbacks],
    ["count_placed", counts.placed],
  ] as const;
  return (
    <Group gap="lg">
      {figures.map(([word, count]) => (
        <div key={word}>
          <Text fz={22} fw={650} lh={1.1}>
            {whole(count)}
          </Text>
          <Text size="xs" c="dimmed">
            {t(word)}
          </Text>
        </div>
      ))}
    </Group>
  );
}

function Owed({ card }: { card: Card }) {
  const t = words.use();
  const now = useServerNow();
  const debt = card.debt;
  if (debt == null) return null;
  return (
    <Alert color="red" role="note" variant="light" p="xs">
      {t("owed_since", { when: relative(debt.opened_at, now), count: debt.calls })}
    </Alert>
  );
}

function History({ person }: { person: string }) {
  const t = words.use();
  const { data, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery({
    ...readPersonInfiniteOptions({ path: { person }, query: { limit: PAGE } }),
    initialPageParam: { path: { person } },
    getNextPageParam: (last) => last.history.next ?? undefined,
    retry: 5,
    retryDelay: 600,
  });
  const items = data?.pages.flatMap((page) => page.history.items) ?? [];
  return (
    <Stack gap="xs">
      <Title order={3} size="h5">
        {t("history")}
      </Title>
      <PastCalls items={items} />
      {hasNextPage && (
        <Button
          variant="subtle"
          size="xs"
          loading={isFetchingNextPage}
          onClick={() => void fetchNextPage()}
        >
          {t("more")}
        </Button>
      )}
    </Stack>
  );
}
