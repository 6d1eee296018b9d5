/** Groups: who is rung together, in which order, and who heads them. */
import { NumberInput, Paper, Select, Stack, Table, Text, Title } from "@mantine/core";
import { IconTrash } from "@tabler/icons-react";
import { membersOf } from "../agents/agents";
import type { Spec } from "../plan/fields";
import { NounPage } from "../plan/noun-page";
import { type Tree, valueAt } from "../plan/tree";
import { idsOf, nameOf, useAt, useNamed, useTree } from "../plan/use-plan";
import { Small } from "../queues/queues";
import { words } from "../words";

const FIELDS: Spec[] = [
  { key: "name", kind: "text" },
  { key: "leader", kind: "one", of: "agents", hint: true },
];

export function Groups() {
  return (
    <NounPage
      noun="groups"
      file="GroupFile"
      fields={FIELDS}
      columns={[
        {
          key: "members",
          show: (tree, id) =>
            membersOf(tree, id)
              .map((member) => nameOf(tree, "agents", member.agent))
              .join(", "),
        },
        {
          key: "leader",
          show: (tree, id) => {
            const leader = valueAt(tree, ["groups", id, "leader"]);
            return typeof leader === "string" ? nameOf(tree, "agents", leader) : "—";
          },
        },
      ]}
      fresh={(tree) => ({ members: idsOf(tree, "agents").slice(0, 1) })}
    >
      {(id) => <Members key={id} id={id} />}
    </NounPage>
  );
}

function Members({ id }: { id: string }) {
  const t = words.use();
  const tree = useTree();
  const agents = useNamed("agents");
  const { set, flaw } = useAt(["groups", id, "members"]);
  const members = membersOf(tree, id);
  const write = (next: typeof members) =>
    set(next.map(({ agent, level }): Tree => (level === 1 ? { agent } : { agent, level })));
  const others = agents.filter((agent) => !members.some((member) => member.agent === agent.id));
  return (
    <Stack gap="sm">
      <Title order={2} size="h5">
        {t("groups.members")}
      </Title>
      {flaw !== undefined && <Text c="red">{flaw}</Text>}
      <Paper withBorder>
        <Table aria-label={t("groups.members")}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t("agents.one")}</Table.Th>
              <Table.Th w={160}>{t("level")}</Table.Th>
              <Table.Th w={60}>{t("actions")}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {members.map((member, at) => (
              <Table.Tr key={member.agent}>
                <Table.Td>{nameOf(tree, "agents", member.agent)}</Table.Td>
                <Table.Td>
                  <NumberInput
                    aria-label={`${t("level")}: ${nameOf(tree, "agents", member.agent)}`}
                    size="xs"
                    value={member.level}
                    min={1}
                    max={100}
                    allowDecimal={false}
                    onChange={(level) =>
                      write(members.with(at, { ...member, level: Number(level) || 1 }))
                    }
                  />
                </Table.Td>
                <Table.Td>
                  <Small
                    label={`${t("remove")}: ${nameOf(tree, "agents", member.agent)}`}
                    onClick={() => write(members.toSpliced(at, 1))}
                  >
                    <IconTrash size={16} />
                  </Small>
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Paper>
      <Text size="xs" c="dimmed">
        {t("level_why")}
      </Text>
      <Select
        label={t("add_member")}
        maw={360}
        searchable
        value={null}
        data={others.map((agent) => ({ value: agent.id, label: `${agent.name} (${agent.id})` }))}
        onChange={(agent) => agent !== null && write([...members, { agent, level: 1 }])}
      />
    </Stack>
  );
}
