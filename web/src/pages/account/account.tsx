/** One's own account: password, language, second factor, and where one is signed in. */
import {
  Alert,
  Badge,
  Box,
  Button,
  Code,
  Group,
  Paper,
  PasswordInput,
  SegmentedControl,
  Stack,
  Table,
  Text,
  TextInput,
  Title,
} from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconShieldCheck } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { problem } from "@/api/client";
import {
  changeLanguageMutation,
  changePasswordMutation,
  confirmTotpMutation,
  endSessionMutation,
  enrolTotpMutation,
  readMeOptions,
  readMeQueryKey,
  readSessionsOptions,
  readSessionsQueryKey,
  removeTotpMutation,
} from "@/api/generated/@tanstack/react-query.gen";
import { Failure } from "@/app/outcomes";
import { useSession, whoAmI } from "@/app/session";
import { fullMoment } from "@/i18n/format";
import { LANGUAGES, language, setLanguage } from "@/i18n/i18n";
import { strings } from "@/i18n/strings";
import { picture } from "@/parts/picture";
import en from "./en.json";
import ru from "./ru.json";

const words = strings("account", { en, ru });

export function Account() {
  const t = words.use();
  const me = useSession((session) => session.me);
  return (
    <Stack maw={720}>
      <div>
        <Title order={1} size="h3">
          {t("title")}
        </Title>
        <Text c="dimmed" size="sm">
          {me?.name} ({me?.login})
        </Text>
      </div>
      {me?.must_change_password && <Alert color="yellow">{t("must_change")}</Alert>}
      <Password />
      {!me?.must_change_password && (
        <>
          <Language />
          <SecondFactor />
          <Sessions />
        </>
      )}
    </Stack>
  );
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <Paper withBorder p="md" component="section" aria-label={title}>
      <Title order={2} size="h5" mb="sm">
        {title}
      </Title>
      {children}
    </Paper>
  );
}

function Refusal({ error }: { error: unknown }) {
  const t = words.use();
  const said = problem(error);
  const known: Record<string, string> = {
    wrong: t("wrong_password"),
    wrong_code: t("wrong_code"),
    invalid: t("weak_password"),
    too_many_tries: t("too_often"),
  };
  return <Alert color="red">{known[said?.code ?? ""] ?? said?.message ?? t("failed")}</Alert>;
}

function Password() {
  const t = words.use();
  const [now, setNow] = useState("");
  const [next, setNext] = useState("");
  const [again, setAgain] = useState("");
  const queries = useQueryClient();
  const change = useMutation({
    ...changePasswordMutation(),
    onSuccess: async () => {
      setNow("");
      setNext("");
      setAgain("");
      notifications.show({ color: "teal", message: t("password_changed") });
      await whoAmI();
      await queries.invalidateQueries({ queryKey: readSessionsQueryKey() });
    },
  });
  const differs = again !== "" && again !== next;
  return (
    <Part title={t("password")}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (again === next) change.mutate({ body: { password: now, new_password: next } });
        }}
      >
        <Stack maw={360}>
          {change.error !== null && <Refusal error={change.error} />}
          <PasswordInput
            visibilityToggleButtonProps={{ "aria-label": t("show_password") }}
            label={t("password_now")}
            required
            autoComplete="current-password"
            maxLength={200}
            value={now}
            onChange={(event) => setNow(event.currentTarget.value)}
          />
          <PasswordInput
            visibilityToggleButtonProps={{ "aria-label": t("show_password") }}
            label={t("password_new")}
            description={t("password_rule")}
            required
            autoComplete="new-password"
            maxLength={200}
            value={next}
            onChange={(event) => setNext(event.currentTarget.value)}
          />
          <PasswordInput
            visibilityToggleButtonProps={{ "aria-label": t("show_password") }}
            label={t("password_again")}
            required
            autoComplete="new-password"
            maxLength={200}
            value={again}
            error={differs ? t("differs") : undefined}
            onChange={(event) => setAgain(event.currentTarget.value)}
          />
          <Button type="submit" w="fit-content" loading={change.isPending}>
            {t("change_password")}
          </Button>
          <Text size="xs" c="dimmed">
            {t("others_end")}
          </Text>
        </Stack>
      </form>
    </Part>
  );
}

function Language() {
  const t = words.use();
  const change = useMutation(changeLanguageMutation());
  return (
    <Part title={t("language")}>
      <SegmentedControl
        aria-label={t("language")}
        value={language()}
        data={LANGUAGES.map((each) => ({
          value: each,
          label: each === "ru" ? "Русский" : "English",
        }))}
        onChange={(chosen) => {
          const next = chosen as (typeof LANGUAGES)[number];
          void setLanguage(next);
          change.mutate({ body: { language: next } });
        }}
      />
    </Part>
  );
}

function SecondFactor() {
  const t = words.use();
  const me = useQuery(readMeOptions());
  const queries = useQueryClient();
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const refresh = () => {
    setPassword("");
    setCode("");
    return queries.invalidateQueries({ queryKey: readMeQueryKey() });
  };
  const enrol = useMutation(enrolTotpMutation());
  const confirm = useMutation({
    ...confirmTotpMutation(),
    onSuccess: async () => {
      enrol.reset();
      await refresh();
    },
  });
  const remove = useMutation({ ...removeTotpMutation(), onSuccess: refresh });
  const has = me.data?.has_totp === true;
  const error = enrol.error ?? confirm.error ?? remove.error;
  return (
    <Part title={t("second_factor")}>
      <Stack align="flex-start">
        {error !== null && <Refusal error={error} />}
        {enrol.data === undefined ? (
          <form
            onSubmit={(event) => {
              event.preventDefault();
              (has ? remove : enrol).mutate({ body: { password } });
            }}
          >
            <Stack align="flex-start">
              {has ? (
                <Badge leftSection={<IconShieldCheck size={12} aria-hidden />}>{t("is_on")}</Badge>
              ) : (
                <Text size="sm">{t("second_why")}</Text>
              )}
              <PasswordInput
                visibilityToggleButtonProps={{ "aria-label": t("show_password") }}
                label={t("password_now")}
                required
                w={360}
                maw="100%"
                autoComplete="current-password"
                maxLength={200}
                value={password}
                onChange={(event) => setPassword(event.currentTarget.value)}
              />
              <Button
                type="submit"
                variant={has ? "default" : "filled"}
                loading={enrol.isPending || remove.isPending}
              >
                {has ? t("turn_off") : t("turn_on")}
              </Button>
            </Stack>
          </form>
        ) : (
          <form
            onSubmit={(event) => {
              event.preventDefault();
              confirm.mutate({ body: { code: code.trim() } });
            }}
          >
            <Group align="flex-start">
              <Box component="img" w={200} alt={t("qr_alt")} src={picture(enrol.data.svg)} />
              <Stack>
                <Text size="sm">{t("scan")}</Text>
                <Text size="sm">
                  {t("or_type")} <Code>{enrol.data.secret}</Code>
                </Text>
                <TextInput
                  label={t("code")}
                  required
                  inputMode="numeric"
                  autoComplete="one-time-code"
                  maxLength={10}
                  value={code}
                  onChange={(event) => setCode(event.currentTarget.value)}
                />
                <Button type="submit" loading={confirm.isPending}>
                  {t("confirm")}
                </Button>
              </Stack>
            </Group>
          </form>
        )}
      </Stack>
    </Part>
  );
}

function Sessions() {
  const t = words.use();
  const sessions = useQuery(readSessionsOptions());
  const queries = useQueryClient();
  const end = useMutation({
    ...endSessionMutation(),
    onSuccess: () => queries.invalidateQueries({ queryKey: readSessionsQueryKey() }),
  });
  return (
    <Part title={t("sessions")}>
      {sessions.error !== null && <Failure error={sessions.error} />}
      <Table aria-label={t("sessions")}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t("browser")}</Table.Th>
            <Table.Th>{t("address")}</Table.Th>
            <Table.Th>{t("seen")}</Table.Th>
            <Table.Th>{t("end")}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {sessions.data?.items.map((session) => (
            <Table.Tr key={session.id}>
              <Table.Td>{browserName(session.program)}</Table.Td>
              <Table.Td>{session.address}</Table.Td>
              <Table.Td>{fullMoment(session.seen_at)}</Table.Td>
              <Table.Td>
                {session.current ? (
                  <Badge variant="light">{t("this_browser")}</Badge>
                ) : (
                  <Button
                    size="compact-xs"
                    variant="light"
                    color="red"
                    aria-label={`${t("end_it")}: ${browserName(session.program)}`}
                    onClick={() => end.mutate({ path: { session: session.id } })}
                  >
                    {t("end_it")}
                  </Button>
                )}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Part>
  );
}

const BROWSERS = [
  ["Firefox", /Firefox\/(\d+)/],
  ["Edge", /Edg\/(\d+)/],
  ["Yandex", /YaBrowser\/(\d+)/],
  ["Chrome", /Chrome\/(\d+)/],
  ["Safari", /Version\/(\d+).*Safari/],
] as const;
const SYSTEMS = ["Windows", "Android", "iPhone", "Mac OS X", "Linux"] as const;

/** `Chrome 156, Linux`; what we do not know is shown as it calls itself. */
function browserName(program: string): string {
  const system = SYSTEMS.find((each) => program.includes(each));
  for (const [name, pattern] of BROWSERS) {
    const found = pattern.exec(program);
    if (found !== null) return [`${name} ${found[1]}`, system].filter(Boolean).join(", ");
  }
  return program.slice(0, 60) || "—";
}
