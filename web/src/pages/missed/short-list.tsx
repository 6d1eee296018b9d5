/** Attempts that were too short to be owed: nobody calls them back, and they are not hidden. */
import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { useCallback, useMemo } from "react";
import { type Call, readCalls } from "@/api/generated";
import { Failure, Loading } from "@/app/outcomes";
import { clock, fullMoment, moment, phoneNumber } from "@/i18n/format";
import { CallLink } from "@/parts/call-link";
import { words as debtWords } from "@/parts/debts/words";
import { type Names, useNames } from "@/parts/names";
import { type Column, VirtualTable } from "@/parts/virtual-table/virtual-table";
import { type Filters, spanOf } from "./filters";
import { words } from "./words";

const PAGE_ROWS = 100;
const ROW_PX = 36;

export function ShortList({ filters }: { filters: Filters }) {
  const t = words.use();
  const d = debtWords.use();
  const names = useNames();
  const query = {
    ...spanOf(filters, Date.now()),
    ...(filters.queue === undefined ? {} : { queue: filters.queue }),
    waiver: "short" as const,
    limit: PAGE_ROWS,
  };
  const found = useInfiniteQuery({
    queryKey: [{ _id: "readCalls", query }],
    queryFn: async ({ pageParam }) =>
      (await readCalls({ query: { ...query, cursor: pageParam }, throwOnError: true })).data,
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
    placeholderData: keepPreviousData,
  });
  const entries = useMemo(
    () =>
      (found.data?.pages ?? [])
        .flatMap((page) => page.items)
        .map((call) => [call.id, call] as const),
    [found.data],
  );
  const columns = useMemo(() => columnsOf(t, d, names), [t, d, names]);
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = found;
  const more = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  if (found.isPending) return <Loading />;
  if (found.isError) return <Failure error={found.error} again={() => void found.refetch()} />;
  return (
    <VirtualTable
      label={t("list_short")}
      columns={columns}
      entries={entries}
      rowHeight={ROW_PX}
      empty={t("nothing")}
      onEnd={more}
    />
  );
}

function columnsOf(
  t: ReturnType<typeof words.use>,
  d: ReturnType<typeof debtWords.use>,
  names: Names,
): Column<Call>[] {
  return [
    {
      key: "when",
      head: t("col_when"),
      width: "minmax(120px, 1fr)",
      cell: (call) => (
        <CallLink call={call.id} title={fullMoment(call.received_at)}>
          {moment(call.received_at)}
        </CallLink>
      ),
    },
    {
      key: "client",
      head: t("col_client"),
      width: "minmax(160px, 1.5fr)",
      cell: (call) =>
        [phoneNumber(call.number) || t("unknown"), call.name].filter(Boolean).join(" · "),
    },
    {
      key: "waited",
      head: t("col_waited"),
      width: "80px",
      cell: (call) => (call.wait_ms === null ? "" : clock(call.wait_ms)),
    },
    {
      key: "reason",
      head: t("reason"),
      width: "minmax(180px, 2fr)",
      cell: (call) =>
        call.miss_reason === null ? "" : d(`reason_${call.miss_reason}` as "reason_timed_out"),
    },
    {
      key: "queue",
      head: t("col_queue"),
      width: "minmax(120px, 1fr)",
      cell: (call) => names.queue(call.queue),
    },
  ];
}
