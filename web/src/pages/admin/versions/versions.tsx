/** Who put which plan in force and when; what it changed; and going back to an old one. */
import { Badge, Button, Code, Group, Modal, Paper, Stack, Table, Text, Title } from "@mantine/core";
import { IconHistory } from "@tabler/icons-react";
import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { type PlanVersion, readPlanVersions } from "@/api/generated";
import {
  readPlanChangesOptions,
  readPlanVersionOptions,
  readPlanVersionsQueryKey,
} from "@/api/generated/@tanstack/react-query.gen";
import { Failure, Loading } from "@/app/outcomes";
import { fullMoment } from "@/i18n/format";
import { ChangeList } from "../changes";
import { replace } from "../plan/draft";
import type { Tree } from "../plan/tree";
import { useInForce } from "../plan/use-plan";
import { words } from "../words";

export function Versions() {
  const t = words.use();
  const plan = useInForce();
  const [open, setOpen] = useState<number | null>(null);
  const pages = useInfiniteQuery({
    queryKey: [{ ...readPlanVersionsQueryKey()[0], pages: true, now: plan.version }],
    queryFn: async ({ pageParam, signal }) => {
      const query = pageParam === null ? {} : { cursor: pageParam };
      return (await readPlanVersions({ query, signal, throwOnError: true })).data;
    },
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
  });
  if (pages.error !== null) return <Failure error={pages.error} />;
  if (pages.data === undefined) return <Loading />;
  const rows = pages.data.pages.flatMap((page) => page.items);
  const shown = open === null ? undefined : rows[open];
  return (
    <Stack maw={960}>
      <Title order={1} size="h3">
        {t("versions")}
      </Title>
      <Paper withBorder>
        <Table aria-label={t("versions")} verticalSpacing="sm">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t("when")}</Table.Th>
              <Table.Th>{t("who")}</Table.Th>
              <Table.Th>{t("comment")}</Table.Th>
              <Table.Th>{t("version")}</Table.Th>
              <Table.Th>{t("actions")}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {rows.map((row, at) => (
              <Table.Tr key={`${row.at}/${row.version}`}>
                <Table.Td>{fullMoment(row.at)}</Table.Td>
                <Table.Td>
                  {row.by || (
                    <Text c="dimmed" size="sm">
                      {t("first_file")}
                    </Text>
                  )}
                </Table.Td>
                <Table.Td>{row.comment}</Table.Td>
                <Table.Td>
                  <Group gap="xs" wrap="nowrap">
                    <Code>{row.version.slice(0, 8)}</Code>
                    {at === 0 && <Badge size="sm">{t("in_force")}</Badge>}
                  </Group>
                </Table.Td>
                <Table.Td>
                  <Button size="compact-xs" variant="light" onClick={() => setOpen(at)}>
                    {t("look")}
                  </Button>
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Paper>
      {pages.hasNextPage && (
        <Button variant="default" loading={pages.isFetching} onClick={() => pages.fetchNextPage()}>
          {t("older")}
        </Button>
      )}
      {shown !== undefined && open !== null && (
        <Version row={shown} before={rows[open + 1]} onClose={() => setOpen(null)} />
      )}
    </Stack>
  );
}

interface VersionProps {
  row: PlanVersion;
  before: PlanVersion | undefined;
  onClose: () => void;
}

function Version({ row, before, onClose }: VersionProps) {
  const t = words.use();
  const plan = useInForce();
  const navigate = useNavigate();
  const queries = useQueryClient();
  const own = useQuery({
    ...readPlanChangesOptions({
      path: { version: row.version },
      query: { since: before?.version ?? "" },
    }),
    enabled: before !== undefined,
  });
  const back = useQuery({
    ...readPlanChangesOptions({ path: { version: row.version }, query: { since: plan.version } }),
    enabled: row.version !== plan.version,
  });
  async function goBack() {
    const old = await queries.fetchQuery(
      readPlanVersionOptions({ path: { version: row.version } }),
    );
    replace({ base: plan.version, before: plan.tree, tree: old.tree as Tree, flaws: [] });
    onClose();
    await navigate({ to: "/admin/review" });
  }
  return (
    <Modal
      opened
      onClose={onClose}
      size="xl"
      title={t("version_title", { version: row.version.slice(0, 8), when: fullMoment(row.at) })}
    >
      <Stack>
        {before !== undefined && (
          <>
            <Title order={2} size="h5">
              {t("it_changed")}
            </Title>
            {own.data !== undefined && <ChangeList changes={own.data} />}
          </>
        )}
        {row.version !== plan.version && (
          <>
            <Title order={2} size="h5">
              {t("going_back_changes")}
            </Title>
            {back.data !== undefined && <ChangeList changes={back.data} />}
            <Button
              w="fit-content"
              leftSection={<IconHistory size={16} aria-hidden />}
              onClick={() => void goBack()}
            >
              {t("go_back")}
            </Button>
          </>
        )}
      </Stack>
    </Modal>
  );
}
