import {
  Alert,
  Button,
  Center,
  Paper,
  PasswordInput,
  Stack,
  Text,
  TextInput,
  Title,
} from "@mantine/core";
import { useForm } from "@mantine/form";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { client, problem } from "@/api/client";
import { whoAmI } from "@/app/session";
import { setLanguage } from "@/i18n/i18n";
import { strings } from "@/i18n/strings";
import en from "./en.json";
import ru from "./ru.json";

const words = strings("sign-in", { en, ru });

interface Entered {
  login: string;
  password: string;
  code: string;
}

export function SignIn() {
  const t = words.use();
  const navigate = useNavigate();
  const { to } = useSearch({ from: "/sign-in" });
  const [asksCode, setAsksCode] = useState(false);
  const [said, setSaid] = useState("");
  const [busy, setBusy] = useState(false);
  const form = useForm<Entered>({ initialValues: { login: "", password: "", code: "" } });

  async function enter({ login, password, code }: Entered) {
    setBusy(true);
    const { error, response } = await client.post({
      url: "/api/v1/sessions",
      body: { login: login.trim(), password, ...(code === "" ? {} : { code }) },
    });
    setBusy(false);
    const refused = problem(error);
    if (refused?.code === "code_needed") {
      setAsksCode(true);
      setSaid("");
    } else if (response?.status === 429) {
      setSaid(t("too_often", { seconds: response.headers.get("Retry-After") ?? "60" }));
    } else if (refused !== null) {
      setSaid(t("wrong"));
    } else if (error !== undefined) {
      setSaid(t("away"));
    } else {
      const me = await whoAmI();
      if (me?.language) await setLanguage(me.language);
      await navigate({ href: to ?? "/", replace: true });
    }
  }

  return (
    <Center mih="100vh" p="md" component="main">
      <Paper withBorder shadow="sm" p="xl" w={380} maw="100%">
        <form onSubmit={form.onSubmit(enter)}>
          <Stack>
            <Stack gap={4} align="center">
              <img src="/icon.svg" alt="" width={48} height={48} />
              <Title order={1} size="h2">
                Perezvon
              </Title>
              <Text c="dimmed" size="sm">
                {t("promise")}
              </Text>
            </Stack>
            {said !== "" && (
              <Alert color="red" role="alert">
                {said}
              </Alert>
            )}
            <TextInput
              label={t("login")}
              autoComplete="username"
              autoFocus
              required
              maxLength={100}
              {...form.getInputProps("login")}
            />
            <PasswordInput
              visibilityToggleButtonProps={{ "aria-label": t("show_password") }}
              label={t("password")}
              autoComplete="current-password"
              required
              maxLength={200}
              {...form.getInputProps("password")}
            />
            {asksCode && (
              <TextInput
                label={t("code")}
                description={t("code_why")}
                autoComplete="one-time-code"
                inputMode="numeric"
                maxLength={10}
                autoFocus
                {...form.getInputProps("code")}
              />
            )}
            <Button type="submit" loading={busy} fullWidth>
              {t("submit")}
            </Button>
          </Stack>
        </form>
      </Paper>
    </Center>
  );
}
