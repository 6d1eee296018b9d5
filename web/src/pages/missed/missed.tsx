/** Missed calls and what became of them: one row is one client's episode. */
import { Anchor, Button, Group, Paper, Text, Title } from "@mantine/core";
import { IconDownload, IconPhoneOutgoing, IconTrashX, IconUserShare } from "@tabler/icons-react";
import { keepPreviousData, useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { type Debt, readDebts } from "@/api/generated";
import { Failure, Loading } from "@/app/outcomes";
import { may } from "@/app/session";
import { language } from "@/i18n/i18n";
import { useSection } from "@/live/live";
import { ALL_OF_DEBTS, type DebtActions, useDebtActions } from "@/parts/debts/debt-actions";
import { reactionMark } from "@/parts/debts/reaction";
import { words as debtWords } from "@/parts/debts/words";
import { useNames } from "@/parts/names";
import { VirtualTable } from "@/parts/virtual-table/virtual-table";
import { episodeColumns } from "./episode-columns";
import { EpisodeDrawer } from "./episode-drawer";
import { FilterBar } from "./filter-bar";
import { addressOf, type Filters, fileOf, filtersOf, PLAIN, queryOf } from "./filters";
import classes from "./missed.module.css";
import { SavedViews } from "./saved-views";
import { ShortList } from "./short-list";
import { words } from "./words";

const PAGE_ROWS = 100;
const ROW_PX = 52;
/** The list is asked anew when the board's debts change, this often at most. */
const AGAIN_MS = 3_000;
/** Debts that are acted on at once; more would be a mistake of the hand. */
const SELECTED_MAX = 200;

export function Missed() {
  const t = words.use();
  const navigate = useNavigate();
  const search: Record<string, unknown> = useSearch({ strict: false });
  const filters = useMemo<Filters>(() => ({ ...PLAIN, ...filtersOf(search) }), [search]);
  const go = useCallback(
    (to: Filters) =>
      void navigate({ to: "/missed", search: addressOf(to) as never, replace: true }),
    [navigate],
  );
  return (
    <div className={classes.page}>
      <Group justify="space-between" align="center" gap="sm">
        <Title order={1} size="h3">
          {t("title")}
        </Title>
        <Group gap="xs">
          {may("self.manage") && (
            <SavedViews apply={(view) => go({ ...PLAIN, ...filtersOf(view) })} />
          )}
          <Button
            component="a"
            href={fileOf(queryOf(filters, Date.now()), language())}
            download
            variant="default"
            size="xs"
            leftSection={<IconDownload size={16} aria-hidden />}
          >
            {t("export")}
          </Button>
        </Group>
      </Group>
      <FilterBar
        filters={filters}
        change={(changed) => go({ ...filters, ...changed })}
        reset={() => go(PLAIN)}
      />
      {filters.short ? (
        <Paper withBorder className={classes.list}>
          <ShortList filters={filters} />
        </Paper>
      ) : (
        <Episodes filters={filters} />
      )}
    </div>
  );
}

function Episodes({ filters }: { filters: Filters }) {
  const t = words.use();
  const d = debtWords.use();
  const names = useNames();
  const [opened, open] = useState<string | null>(null);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const none = useCallback(() => setSelected(new Set()), []);
  const actions = useDebtActions(none);
  const { found, debts, more } = useDebts(filters);
  const select = useCallback((debt: string, on: boolean) => {
    setSelected((before) => {
      const next = new Set(before);
      if (on && next.size < SELECTED_MAX) next.add(debt);
      else next.delete(debt);
      return next;
    });
  }, []);
  const entries = useMemo(() => debts.map((debt) => [debt.id, debt] as const), [debts]);
  const columns = useMemo(
    () => episodeColumns({ t, d, names, actions, selected, select, open }),
    [t, d, names, actions, selected, select],
  );
  if (found.isPending) return <Loading />;
  if (found.isError) return <Failure error={found.error} again={() => void found.refetch()} />;
  const plain = Object.keys(addressOf(filters)).length === 0;
  return (
    <>
      <Paper withBorder className={classes.list}>
        <VirtualTable
          label={t("list")}
          columns={columns}
          entries={entries}
          rowHeight={ROW_PX}
          empty={plain ? t("nothing_yet") : t("nothing")}
          mark={markOf}
          onOpen={open}
          onEnd={more}
        />
      </Paper>
      <Foot
        debts={debts}
        hasMore={found.hasNextPage}
        selected={selected}
        setSelected={setSelected}
        actions={actions}
      />
      <EpisodeDrawer debt={opened} names={names} actions={actions} close={() => open(null)} />
      {actions.dialogs}
    </>
  );
}

function markOf(debt: Debt): string {
  return reactionMark(debt.reaction);
}

function useDebts(filters: Filters) {
  const query = { ...queryOf(filters, Date.now()), limit: PAGE_ROWS };
  const queryKey = [{ _id: "readDebts", query }];
  const found = useInfiniteQuery({
    queryKey,
    queryFn: async ({ pageParam }) =>
      (await readDebts({ query: { ...query, cursor: pageParam }, throwOnError: true })).data,
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
    placeholderData: keepPreviousData,
  });
  useAgainWithTheBoard();
  const debts = useMemo(
    () => (found.data?.pages ?? []).flatMap((page) => page.items),
    [found.data],
  );
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = found;
  const more = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  return { found, debts, more };
}

function useAgainWithTheBoard() {
  const queries = useQueryClient();
  const board = useSection("debts");
  const asked = useRef({ board, at: 0 });
  useEffect(() => {
    // The board is told before the tables that lists and details are read from: they may lack
    // what is newest, at the first look too, and are asked for once more.
    const isFirst = asked.current.board === board;
    const wait = isFirst ? AGAIN_MS : Math.max(0, asked.current.at + AGAIN_MS - Date.now());
    const ask = () => void queries.invalidateQueries(ALL_OF_DEBTS);
    let timer = setTimeout(() => {
      asked.current = { board, at: Date.now() };
      ask();
      if (!isFirst) timer = setTimeout(ask, AGAIN_MS);
    }, wait);
    return () => clearTimeout(timer);
  }, [board, queries]);
}

interface FootProps {
  debts: readonly Debt[];
  hasMore: boolean;
  selected: ReadonlySet<string>;
  setSelected: (selected: ReadonlySet<string>) => void;
  actions: DebtActions;
}

/** How many there are; once some are selected, what can be done with them. */
function Foot({ debts, hasMore, selected, setSelected, actions }: FootProps) {
  const t = words.use();
  const d = debtWords.use();
  const chosen = debts.filter((debt) => debt.state === "open" && selected.has(debt.id));
  const ids = chosen.map((debt) => debt.id);
  const openOnes = debts.filter((debt) => debt.state === "open").slice(0, SELECTED_MAX);
  if (ids.length === 0) {
    return (
      <Group gap="md">
        <Text size="xs" c="dimmed" role="status">
          {t(hasMore ? "loaded_more" : "loaded", { count: debts.length })}
        </Text>
        {openOnes.length > 0 && may("debts.waive") && (
          <Anchor
            component="button"
            type="button"
            size="xs"
            onClick={() => setSelected(new Set(openOnes.map((debt) => debt.id)))}
          >
            {t("select_all")}
          </Anchor>
        )}
      </Group>
    );
  }
  return (
    <Group gap="xs">
      <Text size="sm" fw={600} role="status">
        {t("selected", { count: ids.length })}
      </Text>
      {may("debts.callback") && (
        <Button
          size="compact-sm"
          leftSection={<IconPhoneOutgoing size={14} aria-hidden />}
          onClick={() => actions.callNow(ids)}
        >
          {d("call_now")}
        </Button>
      )}
      {may("debts.assign") && (
        <Button
          size="compact-sm"
          variant="default"
          leftSection={<IconUserShare size={14} aria-hidden />}
          onClick={() => actions.askAssign(ids)}
        >
          {d("assign")}
        </Button>
      )}
      {may("debts.waive") && (
        <Button
          size="compact-sm"
          variant="light"
          color="red"
          leftSection={<IconTrashX size={14} aria-hidden />}
          onClick={() => actions.askWaive(ids)}
        >
          {d("waive")}
        </Button>
      )}
      <Button
        size="compact-sm"
        variant="subtle"
        color="gray"
        onClick={() => setSelected(new Set())}
      >
        {t("select_none")}
      </Button>
    </Group>
  );
}
