/** The first user of a new installation, made with the code that the terminal shows. */
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
import { useMutation, useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { problem } from "@/api/client";
import { makeFirstUserMutation, readSetupOptions } from "@/api/generated/@tanstack/react-query.gen";
import { Failure, Loading } from "@/app/outcomes";
import { whoAmI } from "@/app/session";
import { language } from "@/i18n/i18n";
import { strings } from "@/i18n/strings";
import en from "./en.json";
import ru from "./ru.json";

const words = strings("setup", { en, ru });

export function Setup() {
  const t = words.use();
  const navigate = useNavigate();
  const setup = useQuery({ ...readSetupOptions(), staleTime: Number.POSITIVE_INFINITY });
  const form = useForm({
    initialValues: { code: "", login: "admin", name: "", password: "", again: "" },
    validate: { again: (again, values) => (again === values.password ? null : t("differs")) },
  });
  const make = useMutation({
    ...makeFirstUserMutation(),
    onSuccess: async () => {
      await whoAmI();
      await navigate({ to: "/", replace: true });
    },
  });
  const refused: Record<string, string> = {
    wrong_code: t("wrong_code"),
    invalid: t("weak_password"),
    too_many_tries: t("too_often"),
    set_up: t("not_needed"),
  };
  const said = problem(make.error);
  return (
    <Center mih="100vh" p="md" component="main">
      <Paper withBorder shadow="sm" p="xl" w={440} maw="100%">
        <Stack>
          <Stack gap={4} align="center">
            <img src="/icon.svg" alt="" width={48} height={48} />
            <Title order={1} size="h3">
              {t("title")}
            </Title>
          </Stack>
          {setup.isPending && <Loading />}
          {setup.error !== null && <Failure error={setup.error} />}
          {setup.data?.needed === false && (
            <Alert>
              <Stack align="flex-start">
                {t("not_needed")}
                <Button component={Link} to="/sign-in" size="xs">
                  {t("sign_in")}
                </Button>
              </Stack>
            </Alert>
          )}
          {setup.data?.needed && (
            <form
              onSubmit={form.onSubmit(({ again: _again, ...entered }) =>
                make.mutate({ body: { ...entered, language: language() } }),
              )}
            >
              <Stack>
                <Text size="sm" c="dimmed">
                  {t("why")}
                </Text>
                {make.error !== null && (
                  <Alert color="red">
                    {refused[said?.code ?? ""] ?? said?.message ?? t("away")}
                  </Alert>
                )}
                <TextInput
                  label={t("code")}
                  description={t("code_why")}
                  required
                  autoFocus
                  maxLength={40}
                  autoComplete="off"
                  {...form.getInputProps("code")}
                />
                <TextInput
                  label={t("login")}
                  required
                  maxLength={64}
                  autoComplete="username"
                  {...form.getInputProps("login")}
                />
                <TextInput
                  label={t("name")}
                  maxLength={100}
                  autoComplete="name"
                  {...form.getInputProps("name")}
                />
                <PasswordInput
                  visibilityToggleButtonProps={{ "aria-label": t("show_password") }}
                  label={t("password")}
                  required
                  maxLength={200}
                  autoComplete="new-password"
                  {...form.getInputProps("password")}
                />
                <PasswordInput
                  visibilityToggleButtonProps={{ "aria-label": t("show_password") }}
                  label={t("again")}
                  required
                  maxLength={200}
                  autoComplete="new-password"
                  {...form.getInputProps("again")}
                />
                <Button type="submit" loading={make.isPending}>
                  {t("begin")}
                </Button>
              </Stack>
            </form>
          )}
        </Stack>
      </Paper>
    </Center>
  );
}
