/** Somebody else changed the plan while this draft was being made. */
import { Alert, Button, Group, Stack, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconGitMerge } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import {
  readPlanChangesOptions,
  readPlanVersionsOptions,
} from "@/api/generated/@tanstack/react-query.gen";
import { fullMoment } from "@/i18n/format";
import { ChangeList } from "./changes";
import { discard, replace, useDraft } from "./plan/draft";
import { merge } from "./plan/tree";
import { useInForce } from "./plan/use-plan";
import { words } from "./words";

export function Meanwhile() {
  const t = words.use();
  const plan = useInForce();
  const { base, before, tree } = useDraft();
  const stale = base !== "" && base !== plan.version;
  const versions = useQuery({
    ...readPlanVersionsOptions({ query: { limit: 1 } }),
    enabled: stale,
  });
  const changes = useQuery({
    ...readPlanChangesOptions({ path: { version: plan.version }, query: { since: base } }),
    enabled: stale,
  });
  if (!stale) return null;
  const last = versions.data?.items[0];
  function join() {
    const merged = merge(before, tree, plan.tree);
    replace({ base: plan.version, before: plan.tree, tree: merged.tree, flaws: [] });
    const count = merged.conflicts.length;
    notifications.show({
      color: count > 0 ? "yellow" : "teal",
      message: count > 0 ? t("merged_conflicts", { count }) : t("merged"),
    });
  }
  return (
    <Alert color="yellow" icon={<IconGitMerge />} title={t("meanwhile")} mb="md" role="status">
      <Stack gap="sm">
        {last !== undefined && (
          <Text size="sm">
            {t("meanwhile_who", { who: last.by || t("nobody"), when: fullMoment(last.at) })}
          </Text>
        )}
        {changes.data !== undefined && <ChangeList changes={changes.data} />}
        <Group>
          <Button size="xs" onClick={join}>
            {t("merge")}
          </Button>
          <Button size="xs" variant="default" onClick={discard}>
            {t("discard_mine")}
          </Button>
        </Group>
      </Stack>
    </Alert>
  );
}
