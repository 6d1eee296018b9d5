/** Who changed what, when and from where. */
import {
  Badge,
  Button,
  Code,
  Group,
  Paper,
  Stack,
  Table,
  Text,
  TextInput,
  Title,
} from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Fragment, useState } from "react";
import { type Change, readAudit } from "@/api/generated";
import { Failure, Loading } from "@/app/outcomes";
import { fullMoment } from "@/i18n/format";
import { i18n } from "@/i18n/i18n";
import { strings } from "@/i18n/strings";
import en from "./en.json";
import ru from "./ru.json";

const words = strings("audit", { en, ru });

export function Audit() {
  const t = words.use();
  const [entered, setWho] = useState("");
  const [who] = useDebouncedValue(entered.trim(), 400);
  const [open, setOpen] = useState<number | null>(null);
  const pages = useInfiniteQuery({
    queryKey: ["audit", who],
    queryFn: async ({ pageParam, signal }) => {
      const query = {
        ...(pageParam === null ? {} : { cursor: pageParam }),
        ...(who === "" ? {} : { who }),
      };
      return (await readAudit({ query, signal, throwOnError: true })).data;
    },
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
  });
  if (pages.error !== null) return <Failure error={pages.error} />;
  const rows = pages.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Stack>
      <Title order={1} size="h3">
        {t("title")}
      </Title>
      <TextInput
        label={t("who_filter")}
        maw={320}
        maxLength={100}
        value={entered}
        onChange={(event) => setWho(event.currentTarget.value)}
      />
      {pages.data === undefined ? (
        <Loading />
      ) : (
        <Paper withBorder>
          <Table aria-label={t("title")} verticalSpacing="xs">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>{t("when")}</Table.Th>
                <Table.Th>{t("who")}</Table.Th>
                <Table.Th>{t("what")}</Table.Th>
                <Table.Th>{t("object")}</Table.Th>
                <Table.Th>{t("from")}</Table.Th>
                <Table.Th>{t("more")}</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {rows.map((row) => (
                <Fragment key={row.id}>
                  <Table.Tr>
                    <Table.Td>{fullMoment(row.at)}</Table.Td>
                    <Table.Td>
                      {row.who || "—"}
                      {row.kind === "key" && <Badge size="xs">{t("key")}</Badge>}
                    </Table.Td>
                    <Table.Td>
                      <Group gap="xs">
                        {actionText(row.action)}
                        {row.status >= 400 && (
                          <Badge size="xs" color="red">
                            {t("refused")}
                          </Badge>
                        )}
                      </Group>
                    </Table.Td>
                    <Table.Td>{Object.values(row.object).map(String).join(", ")}</Table.Td>
                    <Table.Td>{row.address}</Table.Td>
                    <Table.Td>
                      <Button
                        size="compact-xs"
                        variant="subtle"
                        aria-expanded={open === row.id}
                        aria-label={`${t("detail")}: ${actionText(row.action)}`}
                        disabled={Object.keys(row.detail).length === 0}
                        onClick={() => setOpen(open === row.id ? null : row.id)}
                      >
                        {t("detail")}
                      </Button>
                    </Table.Td>
                  </Table.Tr>
                  {open === row.id && (
                    <Table.Tr>
                      <Table.Td colSpan={6}>
                        <Code block>{JSON.stringify(row.detail, null, 2)}</Code>
                      </Table.Td>
                    </Table.Tr>
                  )}
                </Fragment>
              ))}
            </Table.Tbody>
          </Table>
          {rows.length === 0 && (
            <Text c="dimmed" p="md">
              {t("nothing")}
            </Text>
          )}
        </Paper>
      )}
      {pages.hasNextPage && (
        <Button variant="default" loading={pages.isFetching} onClick={() => pages.fetchNextPage()}>
          {t("older")}
        </Button>
      )}
    </Stack>
  );
}

/** A route in words; a route that has none yet is shown as it is. */
function actionText(action: Change["action"]): string {
  const key = `action.${action}`;
  return i18n.exists(key, { ns: "audit" }) ? i18n.t(key, { ns: "audit" }) : action;
}
