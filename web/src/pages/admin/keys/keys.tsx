/** Keys of the API, for programs. A secret is shown once. */
import {
  Alert,
  Badge,
  Button,
  Code,
  CopyButton,
  Group,
  Modal,
  MultiSelect,
  Paper,
  Stack,
  Table,
  Text,
  TextInput,
  Title,
} from "@mantine/core";
import { IconCopy, IconPlus } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import {
  createKeyMutation,
  readKeysOptions,
  readKeysQueryKey,
  revokeKeyMutation,
} from "@/api/generated/@tanstack/react-query.gen";
import { Failure, Loading } from "@/app/outcomes";
import { useSession } from "@/app/session";
import { fullMoment } from "@/i18n/format";
import { strings } from "@/i18n/strings";
import en from "./en.json";
import ru from "./ru.json";

const words = strings("keys", { en, ru });
const BROAD = ["read", "act", "admin", "integrator"] as const;

export function Keys() {
  const t = words.use();
  const keys = useQuery(readKeysOptions());
  const queries = useQueryClient();
  const refresh = () => queries.invalidateQueries({ queryKey: readKeysQueryKey() });
  const revoke = useMutation({ ...revokeKeyMutation(), onSuccess: refresh });
  const [adding, setAdding] = useState(false);
  const [sure, setSure] = useState("");
  if (keys.error !== null) return <Failure error={keys.error} />;
  if (keys.data === undefined) return <Loading />;
  return (
    <Stack>
      <Group justify="space-between">
        <Title order={1} size="h3">
          {t("title")}
        </Title>
        <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setAdding(true)}>
          {t("add")}
        </Button>
      </Group>
      <Text c="dimmed" size="sm">
        {t("why")}
      </Text>
      {revoke.error !== null && <Failure error={revoke.error} />}
      <Paper withBorder>
        <Table aria-label={t("title")} verticalSpacing="sm">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t("name")}</Table.Th>
              <Table.Th>{t("scopes")}</Table.Th>
              <Table.Th>{t("created")}</Table.Th>
              <Table.Th>{t("used")}</Table.Th>
              <Table.Th>{t("state")}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {keys.data.items.map((key) => (
              <Table.Tr key={key.id}>
                <Table.Td fw={600}>{key.name}</Table.Td>
                <Table.Td>
                  <Group gap={4}>
                    {key.scopes.map((scope) => (
                      <Badge key={scope} variant="default" tt="none">
                        {scope}
                      </Badge>
                    ))}
                  </Group>
                </Table.Td>
                <Table.Td>{fullMoment(key.created_at)}</Table.Td>
                <Table.Td>
                  {key.last_used_at === null ? "—" : fullMoment(key.last_used_at)}
                </Table.Td>
                <Table.Td>
                  {key.revoked_at !== null ? (
                    <Badge color="gray">{t("revoked")}</Badge>
                  ) : (
                    <Button
                      size="compact-xs"
                      color="red"
                      variant={sure === key.id ? "filled" : "light"}
                      aria-label={`${t("revoke")}: ${key.name}`}
                      onClick={() =>
                        sure === key.id ? revoke.mutate({ path: { key: key.id } }) : setSure(key.id)
                      }
                    >
                      {sure === key.id ? t("revoke_sure") : t("revoke")}
                    </Button>
                  )}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Paper>
      {adding && <NewKey onClose={() => setAdding(false)} refresh={refresh} />}
    </Stack>
  );
}

function NewKey({ onClose, refresh }: { onClose: () => void; refresh: () => Promise<void> }) {
  const t = words.use();
  const me = useSession((session) => session.me);
  const [name, setName] = useState("");
  const [scopes, setScopes] = useState<string[]>(["read"]);
  const create = useMutation({ ...createKeyMutation(), onSuccess: refresh });
  const made = create.data;
  const broad = BROAD.map((scope) => ({ value: scope, label: t(`scope_${scope}`) }));
  const single = (me?.permissions ?? []).map((each) => ({ value: each, label: each }));
  return (
    <Modal opened onClose={onClose} title={t("add")} size="lg">
      {made !== undefined ? (
        <Stack>
          <Alert color="teal">{t("told")}</Alert>
          <Code block>{made.secret}</Code>
          <Group justify="flex-end">
            <CopyButton value={made.secret}>
              {({ copied, copy }) => (
                <Button
                  variant="default"
                  leftSection={<IconCopy size={16} aria-hidden />}
                  onClick={copy}
                >
                  {copied ? t("copied") : t("copy")}
                </Button>
              )}
            </CopyButton>
            <Button onClick={onClose}>{t("done")}</Button>
          </Group>
        </Stack>
      ) : (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            create.mutate({ body: { name: name.trim(), scopes } });
          }}
        >
          <Stack>
            {create.error !== null && <Failure error={create.error} />}
            <TextInput
              label={t("name")}
              description={t("name_why")}
              required
              data-autofocus
              maxLength={100}
              value={name}
              onChange={(event) => setName(event.currentTarget.value)}
            />
            <MultiSelect
              label={t("scopes")}
              required
              searchable
              data={[
                { group: t("broad"), items: broad },
                { group: t("single"), items: single },
              ]}
              value={scopes}
              onChange={setScopes}
            />
            <Button type="submit" loading={create.isPending} disabled={scopes.length === 0}>
              {t("create")}
            </Button>
          </Stack>
        </form>
      )}
    </Modal>
  );
}
