/** What happened when: a bar for each stage, a line for each who had a part in it; or a table. */
import {
  Group,
  ScrollArea,
  Stack,
  Switch,
  Table,
  Text,
  Title,
  VisuallyHidden,
} from "@mantine/core";
import { useState } from "react";
import type { Story, StoryPart, StoryStage } from "@/api/generated";
import { clock, fullMoment } from "@/i18n/format";
import { useServerNow } from "@/live/live";
import { CallLink } from "@/parts/call-link";
import { words as debtWords } from "@/parts/debts/words";
import { type Bar, type Lane, lanesOf, lookOf, type Scale, scaleOf, ticksOf } from "./scale";
import classes from "./timeline.module.css";
import { words } from "./words";

export function Timeline({ story }: { story: Story }) {
  const t = words.use();
  const [asTable, setTable] = useState(false);
  const [first] = story.parts;
  return (
    <Stack gap="sm" component="section" aria-labelledby="call-timeline">
      <Group justify="space-between">
        <Title order={2} size="h4" id="call-timeline">
          {t("timeline")}
        </Title>
        <Switch
          size="sm"
          label={t("as_table")}
          checked={asTable}
          onChange={(event) => setTable(event.currentTarget.checked)}
        />
      </Group>
      {story.parts.map((part) => (
        <Stack key={part.call} gap={4}>
          {story.parts.length > 1 && (
            <PartTitle part={part} afterMs={first === part ? null : part.from_at - story.at} />
          )}
          {asTable ? (
            <StageTable part={part} zone={story.zone} />
          ) : (
            <Lanes part={part} zone={story.zone} />
          )}
        </Stack>
      ))}
    </Stack>
  );
}

function PartTitle({ part, afterMs }: { part: StoryPart; afterMs: number | null }) {
  const t = words.use();
  const d = debtWords.use();
  const title = t(`part_${part.kind}`, { dial: part.dial ?? 0 });
  return (
    <Group gap="xs" mt="xs">
      <Title order={3} size="h5">
        {afterMs === null ? title : <CallLink call={part.call}>{title}</CallLink>}
      </Title>
      {afterMs !== null && (
        <Text size="sm" c="dimmed">
          {t("after", { length: clock(afterMs) })}
        </Text>
      )}
      {part.kind === "callback" && (
        <Text size="sm" fw={600}>
          {d(tryKey(part))}
        </Text>
      )}
    </Group>
  );
}

/** Of a talk the outcome is who hung up; that it was one is what counts. */
function tryKey(part: StoryPart) {
  const known = [
    "no_answer",
    "busy",
    "bad_number",
    "trunk_failed",
    "left_waiting",
    "cancelled",
    "never_made",
  ] as const;
  const found = known.find((each) => each === part.outcome);
  if (found !== undefined) return `try_${found}` as const;
  return part.stages.some((stage) => stage.stage === "talk") ? "try_reached" : "try_under_way";
}

function Lanes({ part, zone }: { part: StoryPart; zone: string }) {
  const now = useServerNow();
  const scale = scaleOf(part, now);
  return (
    <div className={classes.lanes}>
      {lanesOf(part, scale).map((lane) => (
        <LaneRow key={lane.agent ?? " "} lane={lane} zone={zone} />
      ))}
      <Axis scale={scale} zone={zone} />
    </div>
  );
}

function LaneRow({ lane, zone }: { lane: Lane; zone: string }) {
  const t = words.use();
  const name = lane.agent === null ? t("client") : lane.name || t("outside");
  return (
    <>
      <div className={classes.name} title={name}>
        {name}
      </div>
      <ul className={classes.line} aria-label={name}>
        {lane.bars.map((bar) => (
          <BarItem key={`${bar.stage.stage} ${bar.stage.from_at}`} bar={bar} zone={zone} />
        ))}
      </ul>
    </>
  );
}

function BarItem({ bar, zone }: { bar: Bar; zone: string }) {
  const t = words.use();
  const d = debtWords.use();
  const { stage } = bar;
  const what = stageName(t, stage);
  const told = [outcomeName(t, d, stage), detailOf(t, stage)].filter((text) => text !== "");
  const length = bar.isOpen ? t("under_way") : clock(bar.to - stage.from_at);
  const more = told.map((text) => `, ${text}`).join("");
  const label = t("bar", { what, from: timeOf(stage.from_at, zone), length, more });
  return (
    <li
      className={classes.bar}
      data-look={lookOf(stage)}
      data-open={bar.isOpen || undefined}
      style={{ insetInlineStart: `${bar.left}%`, width: `${bar.width}%` }}
      title={label}
    >
      <span aria-hidden>{stage.stage === "ringing" ? (told[0] ?? what) : what}</span>
      <VisuallyHidden>{label}</VisuallyHidden>
    </li>
  );
}

function Axis({ scale, zone }: { scale: Scale; zone: string }) {
  const ticks = ticksOf(scale);
  return (
    <div className={classes.axis} aria-hidden>
      {ticks.map((tick) => (
        <span
          key={tick.at}
          className={classes.tick}
          data-last={tick.left > 97 || undefined}
          style={{ insetInlineStart: `${tick.left}%` }}
        >
          {tick.at === 0 ? timeOf(scale.from, zone) : `+${clock(tick.at)}`}
        </span>
      ))}
    </div>
  );
}

function StageTable({ part, zone }: { part: StoryPart; zone: string }) {
  const t = words.use();
  const d = debtWords.use();
  return (
    <ScrollArea type="auto" viewportProps={{ tabIndex: 0 }}>
      <Table
        striped
        withTableBorder
        fz="sm"
        aria-label={t(`part_${part.kind}`, { dial: part.dial ?? 0 })}
      >
        <Table.Thead>
          <Table.Tr>
            {(["whose", "stage", "from", "length", "outcome"] as const).map((key) => (
              <Table.Th key={key}>{t(key)}</Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {part.stages.map((stage) => (
            <Table.Tr key={`${stage.stage} ${stage.agent} ${stage.from_at}`}>
              <Table.Td>{whose(t, stage)}</Table.Td>
              <Table.Td>{stageName(t, stage)}</Table.Td>
              <Table.Td title={fullMoment(stage.from_at)}>{timeOf(stage.from_at, zone)}</Table.Td>
              <Table.Td>
                {stage.to_at === null ? t("under_way") : clock(stage.to_at - stage.from_at)}
              </Table.Td>
              <Table.Td>
                {[outcomeName(t, d, stage), detailOf(t, stage)].filter(Boolean).join(", ")}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </ScrollArea>
  );
}

type Say = ReturnType<typeof words.use>;
type SayDebt = ReturnType<typeof debtWords.use>;

function whose(t: Say, stage: StoryStage): string {
  const ofAgent = ["ringing", "talk", "consult", "lost", "wrap_up"].includes(stage.stage);
  return ofAgent ? stage.agent_name || t("outside") : t("client");
}

function stageName(t: Say, stage: StoryStage): string {
  const name = t(`stage_${stage.stage}`);
  return stage.queue_name === "" ? name : `${name}: ${stage.queue_name}`;
}

function outcomeName(t: Say, d: SayDebt, stage: StoryStage): string {
  if (stage.outcome === null) return "";
  const kinds = { ringing: "offer", dialling: "try" } as const;
  const kind = kinds[stage.stage as keyof typeof kinds];
  if (kind !== undefined) return d(`${kind}_${stage.outcome}` as Parameters<typeof d>[0]);
  return stage.stage === "transfer" || stage.stage === "consult"
    ? t(`transfer_${stage.outcome}` as Parameters<typeof t>[0])
    : "";
}

function detailOf(t: Say, stage: StoryStage): string {
  const told = [
    stage.step === null ? "" : t("step", { step: stage.step }),
    stage.ring_ms ? t("rang", { length: clock(stage.ring_ms) }) : "",
  ];
  return told.filter((text) => text !== "").join(", ");
}

/** In the tenant's zone, as the explanation beside it. */
function timeOf(at: number, timeZone: string): string {
  const told = { timeZone, hour: "2-digit", minute: "2-digit", second: "2-digit" } as const;
  return new Intl.DateTimeFormat("ru", told).format(at);
}
