/** The agent's desk: his status, his telephone, the call that goes on, and whom to call next. */
import { Alert, Grid, Group, Paper, Stack, Text, Title, VisuallyHidden } from "@mantine/core";
import { IconHeadset } from "@tabler/icons-react";
import { useLocation, useNavigate } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { problem } from "@/api/client";
import { Failure, Loading } from "@/app/outcomes";
import { may } from "@/app/session";
import { whole } from "@/i18n/format";
import { CallPanel } from "./call-panel";
import { ClientCard } from "./client-card";
import { Dialler, useTelLinks } from "./dialler";
import { useShortcuts } from "./keys";
import { Lists } from "./lists";
import { MyPhone } from "./my-phone";
import { goReady } from "./ready";
import { finish } from "./results";
import { PhoneTrouble, Status } from "./status";
import { type AtDesk, useDesk } from "./use-desk";
import { words } from "./words";

export function Desk() {
  const t = words.use();
  const { at, error, again } = useDesk();
  if (problem(error)?.code === "no_agent") {
    return (
      <Stack>
        <Title order={1}>{t("desk")}</Title>
        <Alert maw={560}>{t("no_agent")}</Alert>
      </Stack>
    );
  }
  if (error !== null && error !== undefined) return <Failure error={error} again={again} />;
  return at === null ? <Loading /> : <Whole at={at} />;
}

function Whole({ at }: { at: AtDesk }) {
  const t = words.use();
  const field = useRef<HTMLInputElement>(null);
  const { call, row } = at;
  useTelLinks();
  useShortcuts({
    dial: () => field.current?.focus(),
    ...(row?.status !== "available" ? { ready: () => void finish(at, call?.id ?? null) } : {}),
  });
  useWish(at);
  const busy = call !== null && call.stage !== "wrap_up";
  const mayDial = may("calls.dial") && !busy;
  return (
    <Stack gap="md">
      <VisuallyHidden>
        <Title order={1}>{t("desk")}</Title>
      </VisuallyHidden>
      <Paper withBorder p="sm" component="section" aria-label={t("my_status")}>
        <Group justify="space-between" gap="sm">
          <Status at={at} />
          <MyPhone at={at} />
        </Group>
      </Paper>
      <PhoneTrouble at={at} />
      <Grid gap="md">
        <Grid.Col span={{ base: 12, lg: 7 }}>
          <Stack gap="md">
            {call !== null && <CallPanel at={at} call={call} />}
            {!busy && (
              <Paper withBorder p="md" component="section" aria-label={t("dial")}>
                <Dialler field={field} may={mayDial} />
              </Paper>
            )}
            {call === null && <Idle at={at} />}
          </Stack>
        </Grid.Col>
        <Grid.Col span={{ base: 12, lg: 5 }}>
          <Stack gap="md">
            {call !== null && <ClientCard at={at} call={call} />}
            {!busy && <Lists at={at} mayDial={mayDial} />}
          </Stack>
        </Grid.Col>
      </Grid>
    </Stack>
  );
}

/** Come from elsewhere with the wish to be ready. */
function useWish(at: AtDesk): void {
  const hash = useLocation({ select: (location) => location.hash });
  const navigate = useNavigate();
  // biome-ignore lint/correctness/useExhaustiveDependencies: a wish is granted once
  useEffect(() => {
    if (hash !== "ready") return;
    void navigate({ to: "/desk", hash: "", replace: true });
    void goReady(at);
  }, [hash]);
}

function Idle({ at }: { at: AtDesk }) {
  const t = words.use();
  const status = at.row?.status ?? "signed_out";
  return (
    <Paper withBorder p="xl" component="section" aria-label={t("today")}>
      <Stack align="center" gap="xs" py="lg">
        <IconHeadset size={40} stroke={1.4} color="var(--mantine-color-dimmed)" aria-hidden />
        <Text size="lg" fw={500}>
          {t(`idle_${status === "available" || status === "paused" ? status : "signed_out"}`)}
        </Text>
        {at.row !== null && (
          <Group gap="xl" mt="sm">
            <Figure count={at.row.answered_today} label={t("answered_today")} />
            <Figure count={at.row.missed} label={t("left_ringing")} />
          </Group>
        )}
      </Stack>
    </Paper>
  );
}

function Figure({ count, label }: { count: number; label: string }) {
  return (
    <Stack gap={0} align="center">
      <Text fz={26} fw={650} lh={1.1}>
        {whole(count)}
      </Text>
      <Text size="sm" c="dimmed">
        {label}
      </Text>
    </Stack>
  );
}
