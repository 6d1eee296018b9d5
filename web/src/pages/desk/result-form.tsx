/** What the call came to: written during the talk or after it, and not lost when time is over. */
import {
  Button,
  Chip,
  Group,
  Progress,
  Stack,
  TagsInput,
  Text,
  Textarea,
  TextInput,
  Tooltip,
} from "@mantine/core";
import { IconCheck, IconHeadset } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { readResultsOptions } from "@/api/generated/@tanstack/react-query.gen";
import { clock } from "@/i18n/format";
import { dayText, wallText } from "@/i18n/zones";
import { useServerNow } from "@/live/live";
import { useReasons } from "@/parts/reasons/reasons";
import { changeDraft, type Draft, EMPTY_DRAFT, isUnsaved, useDrafts } from "./drafts";
import { keysOf } from "./keys";
import { type DeskCall, wrapUpEndsAt } from "./model";
import { finish, save } from "./results";
import type { AtDesk } from "./use-desk";
import { words } from "./words";

const COMMENT_MAX = 2_000;
const TAGS_MAX = 10;
const TAG_MAX = 40;
const HOUR_MS = 3_600_000;

export default function ResultForm({ at, call, id }: { at: AtDesk; call: DeskCall; id: string }) {
  const t = words.use();
  const draft = useDrafts((kept) => kept.drafts[id]) ?? EMPTY_DRAFT;
  useSavedAtTheEnd(id);
  const change = (change: Partial<Draft>) => changeDraft(id, change);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void save(id);
      }}
    >
      <Stack gap="sm">
        {call.stage === "wrap_up" && <Countdown at={at} />}
        <ResultChoice at={at} id={id} call={call} draft={draft} change={change} />
        <Textarea
          label={t("comment")}
          autosize
          minRows={2}
          maxRows={8}
          maxLength={COMMENT_MAX}
          value={draft.comment}
          onChange={(event) => change({ comment: event.currentTarget.value })}
        />
        <Group align="flex-end" wrap="nowrap">
          <TagsInput
            flex={1}
            label={t("tags")}
            maxTags={TAGS_MAX}
            value={draft.tags}
            onChange={(tags) => change({ tags: tags.map((tag) => tag.slice(0, TAG_MAX)) })}
          />
          <NextCall draft={draft} change={change} />
        </Group>
        <Group>
          <Button
            type="submit"
            variant={draft.saved ? "light" : "filled"}
            disabled={draft.result === null || draft.saved}
            leftSection={<IconCheck size={18} aria-hidden />}
          >
            {t(draft.saved ? "saved" : "save")}
          </Button>
          {call.stage === "wrap_up" && (
            <Tooltip label={keysOf("ready")}>
              <Button
                variant="default"
                leftSection={<IconHeadset size={18} aria-hidden />}
                onClick={() => void finish(at, id)}
              >
                {t("ready_now")}
              </Button>
            </Tooltip>
          )}
          {!draft.saved && draft.result === null && (
            <Text size="sm" c="dimmed">
              {t("choose_result")}
            </Text>
          )}
        </Group>
      </Stack>
    </form>
  );
}

/** The wrap-up is over, or another call comes: what was chosen is not thrown away. */
function useSavedAtTheEnd(id: string): void {
  const left = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => {
    clearTimeout(left.current);
    return () => {
      left.current = setTimeout(() => {
        if (isUnsaved(useDrafts.getState().drafts[id] ?? EMPTY_DRAFT)) void save(id);
      });
    };
  }, [id]);
}

function ResultChoice({
  at,
  id,
  call,
  draft,
  change,
}: {
  at: AtDesk;
  id: string;
  call: DeskCall;
  draft: Draft;
  change: (change: Partial<Draft>) => void;
}) {
  const t = words.use();
  const reasons = useReasons();
  // By the number he called; until that is known, by the queue.
  const { data } = useQuery({
    ...readResultsOptions({ path: { call: id } }),
    retry: 5,
    retryDelay: 600,
    enabled: call.stage === "talking" || call.stage === "wrap_up",
  });
  const permitted = data?.permitted ?? at.queue?.results ?? [];
  return (
    <Stack gap={6} role="group" aria-label={t("result")}>
      <Text size="sm" fw={500}>
        {t("result")}
      </Text>
      <Chip.Group value={draft.result} onChange={(result) => change({ result: result as string })}>
        <Group gap={6}>
          {permitted.map((result) => (
            <Chip key={result} value={result} size="sm" radius="md">
              {reasons(result)}
            </Chip>
          ))}
        </Group>
      </Chip.Group>
    </Stack>
  );
}

function NextCall({ draft, change }: { draft: Draft; change: (change: Partial<Draft>) => void }) {
  const t = words.use();
  return (
    <TextInput
      type="datetime-local"
      w={360}
      label={t("next_call")}
      value={draft.next}
      onChange={(event) => change({ next: event.currentTarget.value })}
      rightSectionWidth={150}
      rightSection={
        <Group gap={4} wrap="nowrap">
          <Button
            size="compact-xs"
            variant="subtle"
            onClick={() => change({ next: wallText(Date.now() + HOUR_MS) })}
          >
            {t("in_an_hour")}
          </Button>
          <Button
            size="compact-xs"
            variant="subtle"
            onClick={() => change({ next: `${dayText(Date.now() + 24 * HOUR_MS)}T10:00` })}
          >
            {t("tomorrow")}
          </Button>
        </Group>
      }
    />
  );
}

function Countdown({ at }: { at: AtDesk }) {
  const t = words.use();
  const now = useServerNow();
  const whole = at.queue?.wrap_up_ms;
  const endsAt = wrapUpEndsAt(at.row, whole);
  if (endsAt === null || whole === undefined) return null;
  const left = Math.max(0, endsAt - now);
  return (
    <Stack gap={4}>
      <Group justify="space-between">
        <Text size="sm">{t("wrap_up_left")}</Text>
        <Text ff="monospace">{clock(left + 999)}</Text>
      </Group>
      <Progress
        value={(left / whole) * 100}
        color="grape"
        size="sm"
        aria-label={t("wrap_up_left")}
      />
    </Stack>
  );
}
