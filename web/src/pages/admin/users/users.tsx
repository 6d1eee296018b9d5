/** People who sign in: who they are, what they may, and their passwords. */
import {
  Alert,
  Anchor,
  Badge,
  Button,
  Code,
  Group,
  Modal,
  MultiSelect,
  Paper,
  Select,
  Stack,
  Switch,
  Table,
  Text,
  TextInput,
  Title,
} from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconKey, IconPlus } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { problem } from "@/api/client";
import type { Role, User } from "@/api/generated";
import {
  changeUserMutation,
  createUserMutation,
  endSessionsMutation,
  readUsersOptions,
  readUsersQueryKey,
  removeUserMutation,
  setPasswordMutation,
} from "@/api/generated/@tanstack/react-query.gen";
import { Failure, Loading } from "@/app/outcomes";
import { useSession } from "@/app/session";
import { fullMoment } from "@/i18n/format";
import { language } from "@/i18n/i18n";
import { strings } from "@/i18n/strings";
import { nameOf, useNamed, useTree } from "../plan/use-plan";
import en from "./en.json";
import ru from "./ru.json";

const words = strings("users", { en, ru });

const ROLES = [
  "owner",
  "admin",
  "supervisor",
  "controller",
  "agent",
  "viewer",
  "integrator",
] as const satisfies readonly Role[];

/** The word of a role: `agent` alone is the agent of the plan. */
function roleWord(role: Role) {
  return role === "agent" ? "agent_role" : role;
}

type Shown = { kind: "new" } | { kind: "user"; user: User } | null;

export function Users() {
  const t = words.use();
  const users = useQuery(readUsersOptions());
  const [shown, setShown] = useState<Shown>(null);
  const tree = useTree();
  if (users.error !== null) return <Failure error={users.error} />;
  if (users.data === undefined) return <Loading />;
  return (
    <Stack>
      <Group justify="space-between">
        <Title order={1} size="h3">
          {t("title")}
        </Title>
        <Button
          leftSection={<IconPlus size={16} aria-hidden />}
          onClick={() => setShown({ kind: "new" })}
        >
          {t("add")}
        </Button>
      </Group>
      <Paper withBorder>
        <Table aria-label={t("title")} verticalSpacing="sm" highlightOnHover>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t("login")}</Table.Th>
              <Table.Th>{t("name")}</Table.Th>
              <Table.Th>{t("role")}</Table.Th>
              <Table.Th>{t("agent")}</Table.Th>
              <Table.Th>{t("signed_in")}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {users.data.items.map((user) => (
              <Table.Tr key={user.id}>
                <Table.Td>
                  <Group gap="xs">
                    <Anchor
                      component="button"
                      type="button"
                      fw={600}
                      onClick={() => setShown({ kind: "user", user })}
                    >
                      {user.login}
                    </Anchor>
                    {user.disabled_at !== null && (
                      <Badge color="red" size="xs">
                        {t("disabled")}
                      </Badge>
                    )}
                    {user.has_totp && (
                      <Badge size="xs" leftSection={<IconKey size={10} aria-hidden />}>
                        {t("codes")}
                      </Badge>
                    )}
                  </Group>
                </Table.Td>
                <Table.Td>{user.name}</Table.Td>
                <Table.Td>{t(roleWord(user.role))}</Table.Td>
                <Table.Td>
                  {user.agent === null ? "—" : nameOf(tree, "agents", user.agent)}
                </Table.Td>
                <Table.Td>
                  {user.signed_in_at === null ? "—" : fullMoment(user.signed_in_at)}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Paper>
      {shown?.kind === "new" && <NewUserForm onClose={() => setShown(null)} />}
      {shown?.kind === "user" && <UserForm user={shown.user} onClose={() => setShown(null)} />}
    </Stack>
  );
}

function useRefresh() {
  const queries = useQueryClient();
  return () => queries.invalidateQueries({ queryKey: readUsersQueryKey() });
}

interface Fields {
  name: string;
  role: Role;
  agent: string | null;
  projects: string[];
}

function Who({ value, onChange }: { value: Fields; onChange: (value: Fields) => void }) {
  const t = words.use();
  const me = useSession((session) => session.me);
  const agents = useNamed("agents");
  const projects = useNamed("projects");
  const roles = ROLES.filter((role) => role !== "owner" || me?.role === "owner");
  return (
    <>
      <TextInput
        label={t("name")}
        maxLength={100}
        value={value.name}
        onChange={(event) => onChange({ ...value, name: event.currentTarget.value })}
      />
      <Select
        label={t("role")}
        description={t(`${roleWord(value.role)}_why`)}
        allowDeselect={false}
        data={roles.map((role) => ({ value: role, label: t(roleWord(role)) }))}
        value={value.role}
        onChange={(role) => role !== null && onChange({ ...value, role: role as Role })}
      />
      <Select
        label={t("agent")}
        description={t("agent_why")}
        clearable
        searchable
        data={agents.map(({ id, name }) => ({ value: id, label: `${name} (${id})` }))}
        value={value.agent}
        onChange={(agent) => onChange({ ...value, agent })}
      />
      {value.role === "viewer" && (
        <MultiSelect
          label={t("projects")}
          data={projects.map(({ id, name }) => ({ value: id, label: name }))}
          value={value.projects}
          onChange={(chosen) => onChange({ ...value, projects: chosen })}
        />
      )}
    </>
  );
}

const SIGNS = "abcdefghijkmnpqrstuvwxyz23456789";

/** One to read out over the telephone: no sign looks like another. */
function newPassword(): string {
  const drawn = crypto.getRandomValues(new Uint8Array(16));
  const signs = [...drawn].map((each) => SIGNS[each % SIGNS.length]).join("");
  return signs.replace(/(.{4})(?=.)/g, "$1-");
}

function NewUserForm({ onClose }: { onClose: () => void }) {
  const t = words.use();
  const refresh = useRefresh();
  const [login, setLogin] = useState("");
  const [who, setWho] = useState<Fields>({ name: "", role: "agent", agent: null, projects: [] });
  const [password, setPassword] = useState(newPassword);
  const create = useMutation({ ...createUserMutation(), onSuccess: refresh });
  return (
    <Modal opened onClose={onClose} title={t("new_user")}>
      {create.data !== undefined ? (
        <Told login={create.data.login} password={password} onClose={onClose} />
      ) : (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            create.mutate({
              body: { login: login.trim(), password, language: language(), ...who },
            });
          }}
        >
          <Stack>
            {create.error !== null && <Refusal error={create.error} />}
            <TextInput
              label={t("login")}
              required
              data-autofocus
              maxLength={64}
              autoComplete="off"
              value={login}
              onChange={(event) => setLogin(event.currentTarget.value)}
            />
            <Who value={who} onChange={setWho} />
            <TextInput
              label={t("first_password")}
              description={t("first_password_why")}
              required
              minLength={8}
              maxLength={200}
              autoComplete="off"
              value={password}
              onChange={(event) => setPassword(event.currentTarget.value)}
            />
            <Button type="submit" loading={create.isPending}>
              {t("create")}
            </Button>
          </Stack>
        </form>
      )}
    </Modal>
  );
}

function Refusal({ error }: { error: unknown }) {
  const said = problem(error);
  const t = words.use();
  const known = { login_taken: t("login_taken"), last_manager: t("last_manager") };
  return (
    <Alert color="red">
      {known[said?.code as keyof typeof known] ?? said?.message ?? t("failed")}
    </Alert>
  );
}

function Told(props: { login: string; password: string; onClose: () => void }) {
  const t = words.use();
  return (
    <Stack>
      <Alert color="teal">{t("told")}</Alert>
      <Text>
        {t("login")}: <Code>{props.login}</Code>
      </Text>
      <Text>
        {t("password")}: <Code>{props.password}</Code>
      </Text>
      <Button onClick={props.onClose}>{t("done")}</Button>
    </Stack>
  );
}

function UserForm({ user, onClose }: { user: User; onClose: () => void }) {
  const t = words.use();
  const refresh = useRefresh();
  const me = useSession((session) => session.me);
  const [who, setWho] = useState<Fields>(user);
  const [disabled, setDisabled] = useState(user.disabled_at !== null);
  const [password, setPassword] = useState<string | null>(null);
  const [sure, setSure] = useState(false);
  const path = { user: user.id };
  const done = async () => {
    await refresh();
    onClose();
  };
  const change = useMutation({ ...changeUserMutation(), onSuccess: done });
  const remove = useMutation({ ...removeUserMutation(), onSuccess: done });
  const give = useMutation(setPasswordMutation());
  const end = useMutation({
    ...endSessionsMutation(),
    onSuccess: () => notifications.show({ message: t("sessions_ended") }),
  });
  if (password !== null && give.isSuccess) {
    return (
      <Modal opened onClose={onClose} title={user.login}>
        <Told login={user.login} password={password} onClose={onClose} />
      </Modal>
    );
  }
  const error = change.error ?? remove.error ?? give.error ?? end.error;
  return (
    <Modal opened onClose={onClose} title={user.login}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const { name, role, agent, projects } = who;
          change.mutate({ path, body: { name, role, agent, projects, disabled } });
        }}
      >
        <Stack>
          {error !== null && <Refusal error={error} />}
          <Who value={who} onChange={setWho} />
          <Switch
            label={t("may_sign_in")}
            checked={!disabled}
            onChange={(event) => setDisabled(!event.currentTarget.checked)}
          />
          <Text size="xs" c="dimmed">
            {t("change_ends_sessions")}
          </Text>
          <Button type="submit" loading={change.isPending}>
            {t("save")}
          </Button>
          <Group gap="xs">
            <Button
              variant="default"
              size="xs"
              loading={give.isPending}
              onClick={() => {
                const drawn = newPassword();
                setPassword(drawn);
                give.mutate({ path, body: { password: drawn } });
              }}
            >
              {t("new_password")}
            </Button>
            {user.has_totp && (
              <Button
                variant="default"
                size="xs"
                onClick={() => change.mutate({ path, body: { without_codes: true } })}
              >
                {t("without_codes")}
              </Button>
            )}
            <Button variant="default" size="xs" onClick={() => end.mutate({ path })}>
              {t("end_sessions")}
            </Button>
            {user.login !== me?.login && (
              <Button
                color="red"
                variant={sure ? "filled" : "subtle"}
                size="xs"
                onClick={() => (sure ? remove.mutate({ path }) : setSure(true))}
              >
                {sure ? t("remove_sure") : t("remove")}
              </Button>
            )}
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
