/** Agents: who answers, and on which of his devices. */
import { Badge, Group, Text } from "@mantine/core";
import { useSection } from "@/live/live";
import { type Spec, texts } from "../plan/fields";
import { NounPage } from "../plan/noun-page";
import { isMapping, type Tree, valueAt } from "../plan/tree";
import { idsOf, nameOf } from "../plan/use-plan";
import { say, words } from "../words";

const FIELDS: Spec[] = [
  { key: "name", kind: "text" },
  { key: "device", kind: "choice", hint: true },
  { key: "devices", kind: "choices", hint: true },
  { key: "skills", kind: "tags", hint: true },
];
const MOBILE: Spec[] = [
  { key: "number", kind: "text", example: "+79161234567", hint: true },
  { key: "trunk", kind: "one", of: "trunks" },
];
const RARE: Spec[] = [{ key: "secret", kind: "text", hint: true }];

export function Agents() {
  return (
    <NounPage
      noun="agents"
      file="AgentFile"
      fields={[...FIELDS, ...MOBILE]}
      rare={RARE}
      columns={[
        { key: "device", show: (tree, id) => <Device tree={tree} id={id} /> },
        { key: "groups", show: (tree, id) => groupsOf(tree, id).join(", ") },
        { key: "reachable", show: (_, id) => <Reachable id={id} /> },
      ]}
      fresh={() => ({})}
    />
  );
}

function Device({ tree, id }: { tree: Tree; id: string }) {
  const own = valueAt(tree, ["agents", id, "device"]) ?? "sip";
  const others = texts(valueAt(tree, ["agents", id, "devices"]));
  return (
    <Group gap={6}>
      <Text size="sm">{say(`choice.${own}`)}</Text>
      {others.map((device) => (
        <Badge key={device} size="sm" variant="default">
          {say(`choice.${device}`)}
        </Badge>
      ))}
    </Group>
  );
}

export function membersOf(tree: Tree, group: string): { agent: string; level: number }[] {
  const found = valueAt(tree, ["groups", group, "members"]);
  if (!Array.isArray(found)) return [];
  return found.map((member) =>
    isMapping(member)
      ? { agent: String(member.agent ?? ""), level: Number(member.level ?? 1) }
      : { agent: String(member), level: 1 },
  );
}

export function groupsOf(tree: Tree, agent: string): string[] {
  return idsOf(tree, "groups")
    .filter((group) => membersOf(tree, group).some((member) => member.agent === agent))
    .map((group) => nameOf(tree, "groups", group));
}

/** Whether his telephone can be rung now, as the live board knows it. */
export function Reachable({ id }: { id: string }) {
  const t = words.use();
  const row = useSection("agents")[id];
  if (row === undefined)
    return (
      <Text c="dimmed" size="sm">
        —
      </Text>
    );
  return (
    <Badge variant="dot" color={row.reachable ? "teal" : "red"}>
      {row.reachable ? t("reachable") : t("unreachable")}
    </Badge>
  );
}
