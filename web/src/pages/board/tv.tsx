/**
 * The board on a screen on the wall: large, without controls, read only.
 *
 * `/tv#<secret>`: what stands after `#` is sent to nobody by the browser. It is handed over once for
 * a cookie and taken out of the address, so that nobody reads it off the screen.
 */
import { Center, Loader, Text, Title } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { type ReactNode, useEffect, useMemo, useState } from "react";
import { problem } from "@/api/client";
import { openBoard } from "@/api/generated";
import { whoAmI } from "@/app/session";
import { moment, phoneNumber, relative } from "@/i18n/format";
import { closeFeed, openFeed, useLive, useServerNow } from "@/live/live";
import { Lasting } from "@/parts/lasting/lasting";
import { SixFigures, TARGETS } from "./figures";
import { sortedAgents } from "./panels";
import { Status } from "./status";
import classes from "./tv.module.css";
import { figuresOf } from "./view";
import { words } from "./words";

const AGAIN_MS = 5_000;

type Door = "opening" | "open" | "over" | "away";

export function Tv() {
  const t = words.use();
  const door = useDoor();
  const refused = useLive((live) => live.link === "refused");
  if (door === "over" || (door === "open" && refused)) {
    return (
      <Center h="100dvh" p="xl">
        <Title order={1} size="h2" ta="center">
          {t("tv_over")}
        </Title>
      </Center>
    );
  }
  if (door !== "open") {
    return (
      <Center h="100dvh">
        {door === "away" ? (
          <Text size="xl">{t("tv_failed")}</Text>
        ) : (
          <Loader aria-label={t("title")} />
        )}
      </Center>
    );
  }
  return <Screen />;
}

/** In by the link, or by the cookie that it gave before. */
function useDoor(): Door {
  const [door, setDoor] = useState<Door>("opening");
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let left = false;
    const token = location.hash.slice(1);
    async function enter() {
      try {
        if (token !== "") {
          await openBoard({ body: { token }, throwOnError: true });
          history.replaceState(history.state, "", location.pathname + location.search);
        }
        // For the tenant's clock.
        await whoAmI();
        if (left) return;
        openFeed();
        setDoor("open");
      } catch (failure) {
        if (left) return;
        if (problem(failure) !== null) {
          setDoor("over");
          return;
        }
        setDoor("away");
        timer = setTimeout(() => void enter(), AGAIN_MS);
      }
    }
    void enter();
    return () => {
      left = true;
      clearTimeout(timer);
      closeFeed();
    };
  }, []);
  return door;
}

const WAITING_ROWS = 6;
const AGENT_ROWS = 12;
const DEBT_ROWS = 6;

function Screen() {
  const t = words.use();
  const sections = useLive((live) => live.board.sections);
  const targets = sections.targets.all ?? TARGETS;
  const figures = useMemo(() => figuresOf(sections, sections.queues_today), [sections]);
  const waiting = useMemo(
    () => Object.entries(sections.waiting).sort(([, a], [, b]) => a.since_at - b.since_at),
    [sections.waiting],
  );
  const agents = useMemo(() => sortedAgents(sections.agents, "", false), [sections.agents]);
  const debts = useMemo(
    () => Object.entries(sections.debts).sort(([, a], [, b]) => a.due_at - b.due_at),
    [sections.debts],
  );
  const engine = sections.guard.engine;
  return (
    <main className={classes.screen}>
      <div className={classes.head}>
        <h1 style={{ margin: 0, fontSize: "inherit" }}>{t("title")}</h1>
        <Now />
      </div>
      {engine !== undefined && !engine.up && (
        <div className={classes.away} role="status">
          <IconAlertTriangle aria-hidden size="1em" /> {t("engine_away")}
        </div>
      )}
      <SixFigures figures={figures} targets={targets} large />
      <div className={classes.lists}>
        <List
          name={t("waiting")}
          empty={t("nobody_waits")}
          total={Math.max(figures.waiting, waiting.length)}
          rows={waiting.slice(0, WAITING_ROWS).map(([id, row]) => (
            <li key={id}>
              <span>
                {[phoneNumber(row.number) || t("unknown"), ...row.ringing_names].join(" · ")}
              </span>
              <Lasting
                since={row.since_at}
                longMs={targets.wait_ms}
                tooLongMs={targets.longest_wait_ms}
              />
            </li>
          ))}
        />
        <List
          name={t("agents")}
          empty={t("no_agents")}
          columns={2}
          total={agents.length}
          rows={agents.slice(0, AGENT_ROWS).map(([id, row]) => (
            <li key={id}>
              <span>{row.name}</span>
              <Status row={{ ...row, reason: "", wanted: null }} />
            </li>
          ))}
        />
        <List
          name={t("debts")}
          empty={t("no_debts")}
          total={Math.max(figures.debts, debts.length)}
          rows={debts.slice(0, DEBT_ROWS).map(([id, row]) => (
            <li key={id}>
              <span>{phoneNumber(row.number) || row.owner_name}</span>
              <DueIn at={row.due_at} overdue={row.overdue} />
            </li>
          ))}
        />
      </div>
    </main>
  );
}

function Now() {
  return <time>{moment(useServerNow())}</time>;
}

function DueIn({ at, overdue }: { at: number; overdue: boolean }) {
  const t = words.use();
  const now = useServerNow();
  if (!overdue && at > now) return <span>{relative(at, now)}</span>;
  return (
    <Text span inherit fw={700} c="var(--mantine-color-red-text)">
      <IconAlertTriangle size="0.9em" aria-hidden /> {t("overdue")}
    </Text>
  );
}

interface ListProps {
  name: string;
  empty: string;
  rows: ReactNode[];
  total: number;
  columns?: number;
}

function List({ name, empty, rows, total, columns = 1 }: ListProps) {
  const t = words.use();
  return (
    <section className={classes.list}>
      <h2>
        {name} · {total}
      </h2>
      {rows.length === 0 ? (
        <p className={classes.said}>{empty}</p>
      ) : (
        <ul data-columns={columns}>{rows}</ul>
      )}
      {total > rows.length && rows.length > 0 && (
        <p className={classes.said}>{t("tv_more", { count: total - rows.length })}</p>
      )}
    </section>
  );
}
