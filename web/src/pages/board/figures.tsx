/** Six numbers with their targets. One that is not as it should be says so by icon, words and colour. */
import { Group, Text } from "@mantine/core";
import {
  IconAlertTriangle,
  IconCheck,
  IconClockHour4,
  IconGauge,
  IconHeadset,
  IconPhoneX,
  IconReceipt,
  IconUsers,
} from "@tabler/icons-react";
import type { ReactNode } from "react";
import { clock, percent, whole } from "@/i18n/format";
import type { TargetsRow } from "@/live/board";
import { useServerNow } from "@/live/live";
import classes from "./figures.module.css";
import type { Figures } from "./view";
import { words } from "./words";

/** The plan's own defaults, until it has told. */
export const TARGETS: TargetsRow = {
  waiting: 5,
  wait_ms: 20_000,
  longest_wait_ms: 60_000,
  service_level_percent: 80,
  missed_percent: 5,
  available: 1,
  debts: 10,
  debt_age_ms: 1_200_000,
};

interface Props {
  figures: Figures;
  targets: TargetsRow;
  large?: boolean;
}

export function SixFigures({ figures, targets, large = false }: Props) {
  const t = words.use();
  const now = useServerNow();
  const longest = figures.oldestAt === null ? 0 : now - figures.oldestAt;
  const age = figures.oldestDebtAt === null ? 0 : now - figures.oldestDebtAt;
  const level = targets.service_level_percent / 100;
  return (
    <section className={classes.figures} data-large={large} aria-label={t("figures")}>
      <Figure
        icon={<IconUsers aria-hidden />}
        name={t("figure_waiting")}
        value={whole(figures.waiting)}
        target={t("at_most", { target: whole(targets.waiting) })}
        well={figures.waiting <= targets.waiting}
      />
      <Figure
        icon={<IconClockHour4 aria-hidden />}
        name={t("figure_longest")}
        value={figures.oldestAt === null ? "—" : clock(longest)}
        target={t("at_most", { target: clock(targets.longest_wait_ms) })}
        well={longest <= targets.longest_wait_ms}
      />
      <Figure
        icon={<IconGauge aria-hidden />}
        name={t("figure_level", { seconds: Math.round(targets.wait_ms / 1_000) })}
        value={figures.inTarget === null ? "—" : percent(Math.floor(figures.inTarget * 100) / 100)}
        target={t("at_least", { target: percent(level) })}
        well={figures.inTarget === null || figures.inTarget >= level}
      />
      <Figure
        icon={<IconPhoneX aria-hidden />}
        name={t("figure_missed")}
        value={figures.missedShare === null ? "—" : percent(figures.missedShare)}
        more={figures.missed > 0 ? t("of_calls", { ...figures }) : undefined}
        target={t("at_most", { target: percent(targets.missed_percent / 100) })}
        well={figures.missedShare === null || figures.missedShare * 100 <= targets.missed_percent}
      />
      <Figure
        icon={<IconHeadset aria-hidden />}
        name={t("figure_agents")}
        value={whole(figures.available)}
        more={t("agents_more", { ...figures })}
        target={t("at_least", { target: whole(targets.available) })}
        well={figures.available >= targets.available}
      />
      <Figure
        icon={<IconReceipt aria-hidden />}
        name={t("figure_debts")}
        value={whole(figures.debts)}
        more={figures.oldestDebtAt === null ? undefined : t("oldest", { age: clock(age) })}
        target={t("debts_target", {
          count: targets.debts,
          age: clock(targets.debt_age_ms),
        })}
        well={figures.debts <= targets.debts && age <= targets.debt_age_ms}
      />
    </section>
  );
}

interface FigureProps {
  icon: ReactNode;
  name: string;
  value: ReactNode;
  more?: string;
  target: string;
  well: boolean;
}

function Figure({ icon, name, value, more, target, well }: FigureProps) {
  const t = words.use();
  return (
    <div className={classes.figure} data-well={well}>
      <Text className={classes.name} component="div">
        <span className={classes.icon}>{icon}</span>
        {name}
      </Text>
      <Group gap={8} align="baseline" wrap="nowrap">
        <Text className={classes.value} component="div">
          {value}
        </Text>
        {more !== undefined && <Text className={classes.more}>{more}</Text>}
      </Group>
      <Text className={classes.target} component="div">
        {well ? (
          <IconCheck size="1em" aria-label={t("well")} />
        ) : (
          <IconAlertTriangle size="1em" aria-label={t("not_well")} />
        )}
        {target}
      </Text>
    </div>
  );
}
