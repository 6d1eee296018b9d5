/** Check the draft, see what it changes, put it in force. */
import {
  Alert,
  Anchor,
  Button,
  Group,
  List,
  Loader,
  Paper,
  Stack,
  Text,
  TextInput,
  Title,
} from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconAlertTriangle, IconCheck } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { problem } from "@/api/client";
import { checkPlan } from "@/api/generated";
import {
  applyPlanMutation,
  readPlanTreeQueryKey,
  readPlanVersionsQueryKey,
} from "@/api/generated/@tanstack/react-query.gen";
import { Failure } from "@/app/outcomes";
import { may } from "@/app/session";
import { language } from "@/i18n/i18n";
import { ChangeList, placeText } from "../changes";
import { discard, setFlaws, useDraft } from "../plan/draft";
import type { Flaw } from "../plan/tree";
import { useInForce } from "../plan/use-plan";
import { say, words } from "../words";

export function Review() {
  const t = words.use();
  const { base, tree } = useDraft();
  const plan = useInForce();
  const isStale = base !== "" && base !== plan.version;
  const checked = useQuery({
    queryKey: ["plan-check", plan.version, tree, language()],
    queryFn: async ({ signal }) => {
      const body = { tree, language: language() };
      return (await checkPlan({ body, signal, throwOnError: true })).data;
    },
    // What was changed meanwhile would look as if this draft took it back.
    enabled: base !== "" && !isStale,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });
  const flaws = checked.data?.flaws;
  useEffect(() => {
    if (flaws !== undefined) setFlaws(flaws as unknown as Flaw[]);
  }, [flaws]);
  return (
    <Stack maw={960}>
      <Title order={1} size="h3">
        {t("review")}
      </Title>
      {base === "" && (
        <Text c="dimmed" size="sm">
          {t("no_draft")}
        </Text>
      )}
      {isStale && <Text c="dimmed">{t("join_first")}</Text>}
      {checked.isFetching && <Loader aria-label={t("checking")} />}
      {checked.error !== null && (
        <Failure error={checked.error} again={() => void checked.refetch()} />
      )}
      {checked.data?.version === null && (
        <Flaws flaws={checked.data.flaws as unknown as Flaw[]} count={checked.data.flaw_count} />
      )}
      {typeof checked.data?.version === "string" && (
        <>
          <Title order={2} size="h5">
            {t("what_changes")}
          </Title>
          <ChangeList changes={checked.data.changes} />
          {may("plan.change") && <Apply />}
        </>
      )}
    </Stack>
  );
}

const PAGE_OF: Record<string, string> = { callback: "callbacks", holidays: "hours" };

function Flaws({ flaws, count }: { flaws: Flaw[]; count: number }) {
  const t = words.use();
  return (
    <Alert color="red" icon={<IconAlertTriangle />} title={t("refused", { count })}>
      <List size="sm" spacing={4}>
        {flaws.map((flaw) => {
          const [noun, id] = [String(flaw.place[0] ?? ""), String(flaw.place[1] ?? "")];
          const page = PAGE_OF[noun] ?? noun;
          const place = placeText(noun, flaw.place.slice(2));
          return (
            <List.Item key={`${flaw.path}/${flaw.reason}`}>
              <Anchor component={Link} to={`/admin/${page}` as never} search={{ id } as never}>
                {[say(noun), id, place].filter((part) => part !== "").join(" · ")}
              </Anchor>
              : {flaw.reason}
            </List.Item>
          );
        })}
      </List>
    </Alert>
  );
}

function Apply() {
  const t = words.use();
  const { base, tree } = useDraft();
  const [comment, setComment] = useState("");
  const queries = useQueryClient();
  const refresh = () =>
    Promise.all([
      queries.invalidateQueries({ queryKey: readPlanTreeQueryKey() }),
      queries.invalidateQueries({ queryKey: [{ _id: readPlanVersionsQueryKey()[0]._id }] }),
    ]);
  const apply = useMutation({
    ...applyPlanMutation(),
    onSuccess: async (applied) => {
      await refresh();
      discard();
      notifications.show({ color: "teal", message: t("applied", { version: applied.version }) });
    },
    // Somebody was quicker: what he changed is shown above, from the plan read anew.
    onError: (error) => {
      if (problem(error)?.code === "stale_base") void refresh();
    },
  });
  return (
    <Paper withBorder p="md">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          apply.mutate({ body: { tree, base, comment } });
        }}
      >
        <Stack>
          <TextInput
            label={t("comment")}
            description={t("comment_why")}
            maxLength={200}
            value={comment}
            onChange={(event) => setComment(event.currentTarget.value)}
          />
          {apply.error !== null && problem(apply.error)?.code !== "stale_base" && (
            <Failure error={apply.error} />
          )}
          <Group justify="flex-end">
            <Text size="sm" c="dimmed">
              {t("calls_keep_theirs")}
            </Text>
            <Button
              type="submit"
              loading={apply.isPending}
              leftSection={<IconCheck size={16} aria-hidden />}
            >
              {t("apply")}
            </Button>
          </Group>
        </Stack>
      </form>
    </Paper>
  );
}
