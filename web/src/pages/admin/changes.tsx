/** What differs between two plans, in the words of the business. */
import { Badge, Code, Group, Paper, Stack, Table, Text, VisuallyHidden } from "@mantine/core";
import { IconMinus, IconPencil, IconPlus } from "@tabler/icons-react";
import type { PlanChange } from "@/api/generated";
import { lengthText } from "@/parts/lengths";
import { isMapping, type Value } from "./plan/tree";
import { say, words } from "./words";

const KINDS = {
  added: { icon: IconPlus, colour: "green" },
  removed: { icon: IconMinus, colour: "red" },
  changed: { icon: IconPencil, colour: "blue" },
} as const;

export function ChangeList({ changes }: { changes: readonly PlanChange[] }) {
  const t = words.use();
  if (changes.length === 0)
    return (
      <Text c="dimmed" size="sm">
        {t("no_changes")}
      </Text>
    );
  const groups = new Map<string, PlanChange[]>();
  for (const change of changes) {
    const key = `${change.noun}/${change.id}`;
    groups.set(key, [...(groups.get(key) ?? []), change]);
  }
  return (
    <Stack gap="xs">
      {[...groups.values()].map((group) => {
        const first = group[0];
        if (first === undefined) return null;
        return (
          <Paper withBorder p="xs" key={`${first.noun}/${first.id}`}>
            <Group gap="xs" mb={4}>
              <Text size="sm" c="dimmed">
                {say(first.noun)}
              </Text>
              {first.id !== "" && (
                <Text size="sm" fw={650}>
                  {first.id}
                </Text>
              )}
            </Group>
            <Table
              aria-label={`${say(first.noun)} ${first.id}`}
              verticalSpacing={4}
              withRowBorders={false}
            >
              <Table.Tbody>
                {group.map((change) => (
                  <Row key={change.path.join("/")} change={change} />
                ))}
              </Table.Tbody>
            </Table>
          </Paper>
        );
      })}
    </Stack>
  );
}

function Row({ change }: { change: PlanChange }) {
  const t = words.use();
  const { icon: Icon, colour } = KINDS[change.kind];
  return (
    <Table.Tr>
      <Table.Td w={150}>
        <Badge color={colour} variant="light" leftSection={<Icon size={12} aria-hidden />}>
          {t(change.kind)}
        </Badge>
      </Table.Td>
      <Table.Td w="30%">{placeText(change.noun, change.path)}</Table.Td>
      <Table.Td>
        {change.kind !== "added" && (
          <Code c="red" style={{ textDecoration: "line-through" }}>
            <VisuallyHidden>{t("before")} </VisuallyHidden>
            {valueText(change.before as Value)}
          </Code>
        )}
        {change.kind === "changed" && <span aria-hidden> → </span>}
        {change.kind !== "removed" && (
          <Code c="green">
            <VisuallyHidden>{t("after")} </VisuallyHidden>
            {valueText(change.after as Value)}
          </Code>
        )}
      </Table.Td>
    </Table.Tr>
  );
}

/** `steps, 0, k` as "Step 1 · how many ring at once". */
export function placeText(noun: string, path: readonly (string | number)[]): string {
  const parts: string[] = [];
  for (const part of path) {
    if (part === "steps") continue;
    if (typeof part === "number") parts.push(`${say("step")} ${part + 1}`);
    else if (parts.length > 0 && path[0] === "members") parts.push(part);
    else parts.push(say(path[0] === "steps" ? `steps.${part}` : `${noun}.${part}`));
  }
  return parts.join(" · ");
}

export function valueText(value: Value | undefined): string {
  if (value === null || value === undefined || value === "") return "—";
  if (typeof value === "boolean") return say(value ? "yes" : "no");
  if (Array.isArray(value)) return value.map(valueText).join(", ") || "—";
  if (isMapping(value)) {
    const told = Object.entries(value).filter(([, each]) => !isEmpty(each));
    return told.map(([key, each]) => `${key}: ${valueText(each)}`).join("; ");
  }
  // Only a length of time is written so.
  return typeof value === "string" && /^(\d+(ms|s|m|h|d))+$/.test(value)
    ? lengthText(value)
    : String(value);
}

function isEmpty(value: Value): boolean {
  return value === null || value === "" || (Array.isArray(value) && value.length === 0);
}
