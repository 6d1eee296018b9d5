/** What is shown instead of a page: while it loads, when it failed, when there is none. */
import { Alert, Button, Center, Loader, Stack, Text, Title } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { type ErrorComponentProps, Link } from "@tanstack/react-router";
import { problem } from "@/api/client";
import { words } from "./words";

export function Loading() {
  const t = words.use();
  return (
    <Center h="50vh" aria-busy="true">
      <Loader aria-label={t("loading")} />
    </Center>
  );
}

export function Broken({ error, reset }: ErrorComponentProps) {
  const t = words.use();
  return (
    <Center h="50vh">
      <Failure error={error} title={t("failed")} again={reset} />
    </Center>
  );
}

/** A failure inside a page: what the server said, and a way to try again. */
export function Failure({
  error,
  title,
  again,
}: {
  error: unknown;
  title?: string;
  again?: () => void;
}) {
  const t = words.use();
  const said = problem(error)?.message ?? (error instanceof Error ? error.message : "");
  return (
    <Alert color="red" icon={<IconAlertTriangle />} title={title ?? t("failed")} maw={560}>
      <Stack gap="sm" align="flex-start">
        {said !== "" && <Text size="sm">{said}</Text>}
        {again !== undefined && (
          <Button variant="light" color="red" size="xs" onClick={again}>
            {t("try_again")}
          </Button>
        )}
      </Stack>
    </Alert>
  );
}

export function NotFound() {
  const t = words.use();
  return (
    <Center h="60vh">
      <Stack align="center">
        <Title order={1} size="h3">
          {t("not_found")}
        </Title>
        <Button component={Link} to="/" variant="light">
          {t("to_start")}
        </Button>
      </Stack>
    </Center>
  );
}
