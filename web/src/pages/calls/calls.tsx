/** All calls, newest first: found by when, queue, agent, outcome and client; a row leads to its page. */
import { Paper, Text, Title } from "@mantine/core";
import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback, useMemo } from "react";
import { readCalls, readPlacedCalls } from "@/api/generated";
import { Failure, Loading } from "@/app/outcomes";
import { standingMark } from "@/parts/call-state/call-state";
import { useNames } from "@/parts/names";
import { VirtualTable } from "@/parts/virtual-table/virtual-table";
import classes from "./calls.module.css";
import { columnsOf, type Row, rowOfCall, rowOfPlaced } from "./columns";
import { FilterBar } from "./filter-bar";
import { addressOf, type Filters, filtersOf, inboundQueryOf, PLAIN, queryOf } from "./filters";
import { words } from "./words";

const PAGE_ROWS = 100;
const ROW_PX = 48;

export function Calls() {
  const t = words.use();
  const navigate = useNavigate();
  const search: Record<string, unknown> = useSearch({ strict: false });
  const filters = useMemo(() => filtersOf(search), [search]);
  const go = useCallback(
    (to: Filters) => void navigate({ to: "/calls", search: addressOf(to) as never, replace: true }),
    [navigate],
  );
  return (
    <div className={classes.page}>
      <Title order={1} size="h3">
        {t("title")}
      </Title>
      <FilterBar
        filters={filters}
        change={(changed) => go({ ...filters, ...changed })}
        reset={() => go(PLAIN)}
      />
      <List filters={filters} />
    </div>
  );
}

function List({ filters }: { filters: Filters }) {
  const t = words.use();
  const names = useNames();
  const navigate = useNavigate();
  const { found, rows, more } = useRows(filters);
  const entries = useMemo(() => rows.map((row) => [row.id, row] as const), [rows]);
  const columns = useMemo(() => columnsOf(t, names), [t, names]);
  const open = useCallback(
    (call: string) => void navigate({ to: "/calls/$call", params: { call } }),
    [navigate],
  );
  if (found.isPending) return <Loading />;
  if (found.isError) return <Failure error={found.error} again={() => void found.refetch()} />;
  const { kind: _kind, period: _period, ...narrowed } = addressOf(filters);
  return (
    <>
      <Paper withBorder className={classes.list}>
        <VirtualTable
          label={t("list")}
          columns={columns}
          entries={entries}
          rowHeight={ROW_PX}
          empty={t(Object.keys(narrowed).length === 0 ? "nothing_yet" : "nothing")}
          mark={markOf}
          onOpen={open}
          onEnd={more}
        />
      </Paper>
      <Text size="xs" c="dimmed" role="status">
        {t(found.hasNextPage ? "loaded_more" : "loaded", { count: rows.length })}
      </Text>
    </>
  );
}

function markOf(row: Row): string {
  return standingMark(row.standing);
}

interface Page {
  items: Row[];
  next: string | null;
}

function useRows(filters: Filters) {
  const found = useInfiniteQuery({
    queryKey: [{ _id: "callsPage", filters }],
    queryFn: ({ pageParam }) => pageOf(filters, pageParam),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
    placeholderData: keepPreviousData,
    refetchInterval: 15_000,
  });
  const rows = useMemo(() => (found.data?.pages ?? []).flatMap((page) => page.items), [found.data]);
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = found;
  const more = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  return { found, rows, more };
}

async function pageOf(filters: Filters, cursor: string | undefined): Promise<Page> {
  const now = Date.now();
  const paging = { limit: PAGE_ROWS, cursor };
  if (filters.kind === "placed") {
    const query = { ...queryOf(filters, now), ...paging };
    const { data } = await readPlacedCalls({ query, throwOnError: true });
    return { items: data.items.map(rowOfPlaced), next: data.next };
  }
  const query = { ...inboundQueryOf(filters, now), ...paging };
  const { data } = await readCalls({ query, throwOnError: true });
  return { items: data.items.map(rowOfCall), next: data.next };
}
