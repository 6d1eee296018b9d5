/** Links for screens on the wall: made, shown once, listed and revoked. */
import {
  ActionIcon,
  Alert,
  Button,
  Code,
  CopyButton,
  Group,
  SegmentedControl,
  Stack,
  Text,
  TextInput,
  Title,
} from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconDeviceTv, IconTrash } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { problem } from "@/api/client";
import {
  createBoardLinkMutation,
  readBoardLinksOptions,
  readBoardLinksQueryKey,
  revokeBoardLinkMutation,
} from "@/api/generated/@tanstack/react-query.gen";
import { moment } from "@/i18n/format";
import { Dialog } from "@/parts/dialog";
import { words } from "./words";

const DAY_MS = 86_400_000;
const LIVES = { tv_day: DAY_MS, tv_month: 30 * DAY_MS, tv_year: 365 * DAY_MS } as const;
type Life = keyof typeof LIVES;
const NAME_LENGTH_MAX = 200;

export function TvLinks() {
  const t = words.use();
  const [opened, dialog] = useDisclosure(false);
  return (
    <>
      <Button
        variant="default"
        size="xs"
        leftSection={<IconDeviceTv size={16} aria-hidden />}
        onClick={dialog.open}
      >
        {t("tv")}
      </Button>
      <Dialog opened={opened} close={dialog.close} title={t("tv_title")} size="lg">
        <Links />
      </Dialog>
    </>
  );
}

function Links() {
  const t = words.use();
  const queries = useQueryClient();
  const again = () => queries.invalidateQueries({ queryKey: readBoardLinksQueryKey() });
  const links = useQuery(readBoardLinksOptions()).data?.items ?? [];
  const making = useMutation({ ...createBoardLinkMutation(), onSuccess: again });
  const revoking = useMutation({ ...revokeBoardLinkMutation(), onSuccess: again });
  const [name, setName] = useState("");
  const [life, setLife] = useState<Life>("tv_month");
  const made = making.data === undefined ? null : new URL(making.data.path, location.href).href;
  return (
    <Stack>
      <Text size="sm">{t("tv_why")}</Text>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          making.mutate({ body: { name: name.trim(), expires_at: Date.now() + LIVES[life] } });
        }}
      >
        <Group align="flex-end">
          <TextInput
            label={t("tv_name")}
            value={name}
            maxLength={NAME_LENGTH_MAX}
            onChange={(event) => setName(event.currentTarget.value)}
            error={making.isError ? problem(making.error)?.message : undefined}
            style={{ flex: 1 }}
            data-autofocus
          />
          <SegmentedControl
            aria-label={t("tv_life")}
            data={(Object.keys(LIVES) as Life[]).map((value) => ({ value, label: t(value) }))}
            value={life}
            onChange={(value) => setLife(value as Life)}
          />
          <Button type="submit" disabled={name.trim() === ""} loading={making.isPending}>
            {t("tv_make")}
          </Button>
        </Group>
      </form>
      {made !== null && (
        <Alert color="teal" title={t("tv_link")}>
          <Group wrap="nowrap">
            <Code style={{ wordBreak: "break-all" }}>{made}</Code>
            <CopyButton value={made}>
              {({ copied, copy }) => (
                <Button size="xs" variant="light" onClick={copy} style={{ flexShrink: 0 }}>
                  {t(copied ? "tv_copied" : "tv_copy")}
                </Button>
              )}
            </CopyButton>
          </Group>
        </Alert>
      )}
      {links.length > 0 && (
        <Title order={3} size="h5">
          {t("tv_known")}
        </Title>
      )}
      {links.map((link) => (
        <Group key={link.id} justify="space-between" wrap="nowrap">
          <div>
            <Text size="sm" fw={600}>
              {link.name}
            </Text>
            <Text size="xs" c="dimmed">
              {t("tv_until", { when: moment(link.expires_at), by: link.created_by })}
            </Text>
          </div>
          <ActionIcon
            variant="subtle"
            color="red"
            aria-label={t("tv_revoke", { name: link.name })}
            onClick={() => revoking.mutate({ path: { link: link.id } })}
          >
            <IconTrash size={18} />
          </ActionIcon>
        </Group>
      ))}
    </Stack>
  );
}
