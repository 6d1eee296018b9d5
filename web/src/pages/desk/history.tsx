/** Past calls with a client, or of mine: one line each, with what it came to. */
import { Anchor, Group, Stack, Text, Tooltip } from "@mantine/core";
import {
  IconArrowBackUp,
  IconArrowDownLeft,
  IconArrowUpRight,
  IconPhoneX,
} from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import type { PastCall } from "@/api/generated/types.gen";
import { clock, fullMoment, moment, phoneNumber } from "@/i18n/format";
import { useReasons } from "@/parts/reasons/reasons";
import { wordFor, words } from "./words";

const LOST = new Set(["open", "no_answer", "busy", "bad_number", "trunk_failed", "left_waiting"]);

function look(past: PastCall) {
  if (past.direction !== "inbound") {
    return {
      icon: past.direction === "callback" ? IconArrowBackUp : IconArrowUpRight,
      colour: "blue",
    };
  }
  if (past.outcome === "answered") return { icon: IconArrowDownLeft, colour: "teal" };
  return { icon: IconPhoneX, colour: past.outcome === "in_progress" ? "gray" : "red" };
}

export function PastCalls({
  items,
  withClient = false,
}: {
  items: PastCall[];
  withClient?: boolean;
}) {
  const t = words.use();
  return (
    <Stack
      gap={0}
      component="ul"
      p={0}
      m={0}
      style={{ listStyle: "none" }}
      aria-label={t(withClient ? "my_calls" : "history")}
    >
      {items.map((past) => (
        <Line key={past.call} past={past} withClient={withClient} />
      ))}
    </Stack>
  );
}

function Line({ past, withClient }: { past: PastCall; withClient: boolean }) {
  const t = words.use();
  const reasons = useReasons();
  const { icon: Icon, colour } = look(past);
  const outcome = past.outcome ?? "in_progress";
  const told = wordFor(t, `outcome_${outcome}`, outcome);
  const lost = LOST.has(past.outcome ?? "");
  return (
    <Group
      component="li"
      wrap="nowrap"
      align="flex-start"
      gap="sm"
      py={6}
      style={{ borderTop: "1px solid var(--mantine-color-default-border)" }}
    >
      <Tooltip label={t(`direction_${past.direction}`)}>
        <Icon
          size={18}
          color={`var(--mantine-color-${colour}-6)`}
          role="img"
          aria-label={t(`direction_${past.direction}`)}
        />
      </Tooltip>
      <Stack gap={0} flex={1} miw={0}>
        <Group justify="space-between" wrap="nowrap" gap="xs">
          {withClient ? (
            <Client number={past.number ?? null} name={past.name ?? null} />
          ) : (
            <Text size="sm" truncate>
              {told}
              {past.agent_name !== "" && ` · ${past.agent_name}`}
            </Text>
          )}
          <Anchor
            renderRoot={(props) => (
              <Link {...props} to="/calls/$call" params={{ call: past.call }} />
            )}
            size="sm"
            c="dimmed"
            title={fullMoment(past.at)}
            style={{ whiteSpace: "nowrap" }}
          >
            {moment(past.at)}
          </Anchor>
        </Group>
        <Text size="xs" c={lost ? undefined : "dimmed"}>
          {withClient && `${told}`}
          {past.talk_ms !== null &&
            `${withClient ? " · " : ""}${t("talk_of", { length: clock(past.talk_ms) })}`}
          {past.talk_ms === null &&
            past.wait_ms !== null &&
            `${withClient ? " · " : ""}${t("waited_for", { length: clock(past.wait_ms) })}`}
        </Text>
        {past.result != null && (
          <Text size="sm" style={{ overflowWrap: "anywhere" }}>
            <Text span fw={600}>
              {reasons(past.result.result)}
            </Text>
            {past.result.tags.length > 0 && ` · ${past.result.tags.join(", ")}`}
            {past.result.comment !== "" && ` — ${past.result.comment}`}
          </Text>
        )}
      </Stack>
    </Group>
  );
}

/** His name and number; the number is dialled by a click. */
export function Client({ number, name }: { number: string | null; name: string | null }) {
  const t = words.use();
  if (number === null) return <Text size="sm">{name ?? t("no_number")}</Text>;
  return (
    <Group gap={6} wrap="nowrap" miw={0}>
      {name !== null && name !== "" && (
        <Text size="sm" fw={500} truncate>
          {name}
        </Text>
      )}
      <Anchor href={`tel:${number}`} size="sm" style={{ whiteSpace: "nowrap" }}>
        {phoneNumber(number)}
      </Anchor>
    </Group>
  );
}
