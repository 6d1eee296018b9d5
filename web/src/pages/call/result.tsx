/** What the call came to, as noted; and a form for who may note it. */
import {
  Alert,
  Badge,
  Button,
  Group,
  Select,
  Stack,
  TagsInput,
  Text,
  Textarea,
  Title,
} from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { problem } from "@/api/client";
import type { Result as Noted } from "@/api/generated";
import {
  readResultsOptions,
  readResultsQueryKey,
  writeResultMutation,
} from "@/api/generated/@tanstack/react-query.gen";
import { Failure } from "@/app/outcomes";
import { may } from "@/app/session";
import { fullMoment } from "@/i18n/format";
import { useNames } from "@/parts/names";
import { useReasons } from "@/parts/reasons/reasons";
import { words } from "./words";

const COMMENT_MAX = 2_000;
const TAGS_MAX = 10;
const TAG_MAX = 40;

export function Result({ call }: { call: string }) {
  const t = words.use();
  const found = useQuery(readResultsOptions({ path: { call } }));
  const [editing, edit] = useState(false);
  const noted = found.data?.items[0] ?? null;
  return (
    <Stack gap="sm" component="section" aria-labelledby="call-result">
      <Group justify="space-between">
        <Title order={2} size="h4" id="call-result">
          {t("result")}
        </Title>
        {may("calls.note") && !editing && found.data !== undefined && (
          <Button size="compact-sm" variant="default" onClick={() => edit(true)}>
            {t(noted === null ? "note" : "edit")}
          </Button>
        )}
      </Group>
      {found.isError && <Failure error={found.error} again={() => void found.refetch()} />}
      {editing && found.data !== undefined ? (
        <Form
          call={call}
          noted={noted}
          permitted={found.data.permitted}
          close={() => edit(false)}
        />
      ) : (
        <Shown noted={noted} />
      )}
    </Stack>
  );
}

function Shown({ noted }: { noted: Noted | null }) {
  const t = words.use();
  const names = useNames();
  const reasons = useReasons();
  if (noted === null) {
    return (
      <Text size="sm" c="dimmed">
        {t("no_result")}
      </Text>
    );
  }
  return (
    <Stack gap={4}>
      <Group gap="xs">
        <Text fw={600}>{reasons(noted.result)}</Text>
        {noted.tags.map((tag) => (
          <Badge key={tag} variant="light" color="gray" tt="none">
            {tag}
          </Badge>
        ))}
      </Group>
      {noted.comment !== "" && (
        <Text size="sm" style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>
          {noted.comment}
        </Text>
      )}
      {noted.next_at !== null && (
        <Text size="sm">{t("next_call", { when: fullMoment(noted.next_at) })}</Text>
      )}
      <Text size="xs" c="dimmed">
        {t("noted_by", { by: names.agent(noted.by), when: fullMoment(noted.at) })}
      </Text>
    </Stack>
  );
}

interface FormProps {
  call: string;
  noted: Noted | null;
  permitted: readonly string[];
  close: () => void;
}

function Form({ call, noted, permitted, close }: FormProps) {
  const t = words.use();
  const reasons = useReasons();
  const queries = useQueryClient();
  const [result, setResult] = useState<string | null>(noted?.result ?? null);
  const [comment, setComment] = useState(noted?.comment ?? "");
  const [tags, setTags] = useState<string[]>(noted?.tags ?? []);
  const save = useMutation({
    ...writeResultMutation(),
    onSuccess: () => {
      notifications.show({ color: "teal", message: t("saved") });
      void queries.invalidateQueries({ queryKey: readResultsQueryKey({ path: { call } }) });
      close();
    },
  });
  function submit(event: FormEvent) {
    event.preventDefault();
    if (result === null) return;
    const next_at = noted?.next_at ?? null;
    save.mutate({ path: { call }, body: { result, comment, tags, next_at } });
  }
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        <Select
          label={t("result")}
          placeholder={t("choose")}
          data={permitted.map((value) => ({ value, label: reasons(value) }))}
          value={result}
          onChange={setResult}
          allowDeselect={false}
        />
        <Textarea
          label={t("comment")}
          autosize
          minRows={2}
          maxRows={8}
          maxLength={COMMENT_MAX}
          value={comment}
          onChange={(event) => setComment(event.currentTarget.value)}
        />
        <TagsInput
          label={t("tags")}
          maxTags={TAGS_MAX}
          value={tags}
          onChange={(given) => setTags(given.map((tag) => tag.slice(0, TAG_MAX)))}
        />
        {save.isError && (
          <Alert color="red" p="xs" title={t("not_saved")}>
            {problem(save.error)?.message}
          </Alert>
        )}
        <Group gap="xs">
          <Button type="submit" size="xs" disabled={result === null} loading={save.isPending}>
            {t("save")}
          </Button>
          <Button size="xs" variant="subtle" color="gray" onClick={close}>
            {t("cancel")}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
