/** Who called whom and when, by which line, and what it came to, in words. */
import { Alert, Anchor, Button, Group, Paper, Stack, Text, Title } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconAlertTriangle, IconFileZip, IconUsers } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { client, problem } from "@/api/client";
import type { Story } from "@/api/generated";
import { may } from "@/app/session";
import { clock, fullMoment, phoneNumber } from "@/i18n/format";
import { CallLink } from "@/parts/call-link";
import { CallStanding, type Standing, standingOf } from "@/parts/call-state/call-state";
import { words as debtWords } from "@/parts/debts/words";
import { words } from "./words";

export function Head({ story }: { story: Story }) {
  const t = words.use();
  const kind = story.kind === "call" ? "inbound" : story.kind;
  return (
    <Stack gap="sm">
      <Group justify="space-between" align="flex-start">
        <Stack gap={2}>
          <Text size="sm" c="dimmed">
            <Anchor size="sm" renderRoot={(props) => <Link to="/calls" {...props} />}>
              {t("back")}
            </Anchor>
            {" · "}
            {t(kind)}
          </Text>
          <Title order={1} size="h2">
            {phoneNumber(story.number) || t("unknown")}
          </Title>
          {story.name !== null && <Text>{story.name}</Text>}
        </Stack>
        <Group gap="xs">
          {story.person !== null && (
            <Button
              size="xs"
              variant="default"
              leftSection={<IconUsers size={16} aria-hidden />}
              renderRoot={(props) => (
                <Link
                  to="/calls"
                  search={{ person: story.person, period: "all" } as never}
                  {...props}
                />
              )}
            >
              {t("all_of_client")}
            </Button>
          )}
          {may("diagnostics.see") && <Evidence call={story.call} />}
        </Group>
      </Group>
      <Outcome story={story} />
      <Figures story={story} />
    </Stack>
  );
}

function Outcome({ story }: { story: Story }) {
  const t = words.use();
  return (
    <Stack gap={4}>
      <Group gap="sm">
        <CallStanding standing={standing(story)} size="md" />
        <Why story={story} />
      </Group>
      {story.in_fallback && <Notice>{t("fallback")}</Notice>}
      {story.cut_at !== null && <Notice>{t("cut")}</Notice>}
      {story.difference !== null && <Notice>{t("difference")}</Notice>}
    </Stack>
  );
}

function standing(story: Story): Standing {
  if (story.state !== null) return story.state;
  const talked = story.parts.some((part) => part.stages.some((stage) => stage.stage === "talk"));
  return talked ? "talked" : standingOf(story.outcome);
}

function Why({ story }: { story: Story }) {
  const t = words.use();
  const d = debtWords.use();
  if (story.miss_reason !== null) {
    const reason = d(`reason_${story.miss_reason}` as Parameters<typeof d>[0]);
    const cause = t(`cause_${story.miss_cause}` as Parameters<typeof t>[0]);
    const waived =
      story.waiver === null ? "" : `; ${t(`waiver_${story.waiver}` as Parameters<typeof t>[0])}`;
    return (
      <Text size="sm" c="dimmed">
        {t("why_missed", { reason, cause })}
        {waived}
      </Text>
    );
  }
  if (story.state === null && standing(story) === "not_reached") {
    return (
      <Text size="sm" c="dimmed">
        {d(`try_${story.outcome}` as Parameters<typeof d>[0])}
      </Text>
    );
  }
  return null;
}

function Notice({ children }: { children: ReactNode }) {
  return (
    <Alert color="orange" p="xs" icon={<IconAlertTriangle size={16} />}>
      {children}
    </Alert>
  );
}

function Figures({ story }: { story: Story }) {
  const t = words.use();
  const length = (ms: number | null) => (ms === null ? t("nobody") : clock(ms));
  const told: (readonly [string, ReactNode])[] = [
    [t("when"), fullMoment(story.at)],
    [t("line"), [story.queue_name, phoneNumber(story.did)].filter(Boolean).join(" · ")],
    [t("agent"), story.agent_name || t("nobody")],
    [t("waited"), length(story.wait_ms)],
    [t("talked"), length(story.talk_ms)],
  ];
  if (story.ended_by !== null) told.push([t("ended_by"), endedBy(t, story.ended_by)]);
  if (story.debt !== null) told.push([t("debt"), <Debt key="debt" story={story} />]);
  return (
    <Group component="dl" gap="xs" m={0} align="stretch">
      {told.map(([name, value]) => (
        <Paper key={name} withBorder px="sm" py={6}>
          <Text size="xs" c="dimmed" component="dt">
            {name}
          </Text>
          <Text size="sm" component="dd" m={0}>
            {value}
          </Text>
        </Paper>
      ))}
    </Group>
  );
}

function endedBy(t: ReturnType<typeof words.use>, by: string): string {
  const known = ["client", "agent", "system", "target"] as const;
  const found = known.find((each) => each === by);
  return found === undefined ? by : t(`by_${found}`);
}

function Debt({ story }: { story: Story }) {
  const t = words.use();
  const debt = story.debt;
  if (debt === null) return null;
  const isOpen = debt.state === "open";
  const told = isOpen
    ? t("debt_open", {
        owner: debt.owner_name || t("no_owner"),
        due: debt.due_at === null ? t("nobody") : fullMoment(debt.due_at),
      })
    : t("debt_settled", { when: debt.settled_at === null ? "" : fullMoment(debt.settled_at) });
  return (
    <>
      {told}
      {debt.first_call !== story.call && (
        <>
          {" · "}
          <CallLink call={debt.first_call}>{t("first_call")}</CallLink>
        </>
      )}
    </>
  );
}

function Evidence({ call }: { call: string }) {
  const t = words.use();
  const [busy, setBusy] = useState(false);
  async function gather() {
    setBusy(true);
    const reply = await client.get<{ 200: Blob }, unknown, false>({
      url: "/api/v1/calls/{call}/evidence",
      path: { call },
      parseAs: "blob",
    });
    setBusy(false);
    if (reply.data === undefined) {
      const message = problem(reply.error)?.message ?? String(reply.error);
      notifications.show({ color: "red", title: t("evidence_failed"), message });
      return;
    }
    keep(reply.data, `evidence-${call.replace("/", "-")}.zip`);
  }
  return (
    <Button
      size="xs"
      variant="default"
      title={t("evidence_hint")}
      loading={busy}
      loaderProps={{ "aria-label": t("evidence_gathering") }}
      leftSection={<IconFileZip size={16} aria-hidden />}
      onClick={() => void gather()}
    >
      {t("evidence")}
    </Button>
  );
}

function keep(data: Blob, name: string): void {
  const address = URL.createObjectURL(data);
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  URL.revokeObjectURL(address);
}
