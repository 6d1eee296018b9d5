/** Queues, and the steps by which they ring. */
import { ActionIcon, Button, Group, Paper, Stack, Text, Title, Tooltip } from "@mantine/core";
import { IconArrowDown, IconArrowUp, IconPlus, IconTrash } from "@tabler/icons-react";
import { lengthText } from "@/parts/lengths";
import { type Spec, texts } from "../plan/fields";
import { Fields, NounPage } from "../plan/noun-page";
import { isMapping, type Tree, type Value, valueAt } from "../plan/tree";
import { idsOf, nameOf, useAt } from "../plan/use-plan";
import { words } from "../words";

const FIELDS: Spec[] = [
  { key: "name", kind: "text" },
  { key: "hours", kind: "one", of: "hours" },
  { key: "wait_max", kind: "length", hint: true },
  { key: "wrap_up", kind: "length", hint: true },
  { key: "pause_after_misses", kind: "whole", hint: true },
  { key: "project", kind: "one", of: "projects" },
];
const RARE: Spec[] = [
  { key: "rounds_max", kind: "whole", hint: true },
  { key: "gap", kind: "length", hint: true },
  { key: "length_max", kind: "whole", hint: true },
  { key: "tier", kind: "whole", hint: true },
  { key: "answer_first", kind: "flag", hint: true },
  { key: "greeting", kind: "text", example: "welcome" },
  { key: "music", kind: "text" },
  { key: "closed_prompt", kind: "text" },
  { key: "promise_prompt", kind: "text" },
];
const STEP: Spec[] = [
  { key: "groups", kind: "many", of: "groups" },
  { key: "agents", kind: "many", of: "agents" },
  { key: "k", kind: "whole", hint: true },
  { key: "ring", kind: "length", hint: true },
  { key: "ranking", kind: "choice" },
  { key: "mode", kind: "choice" },
  { key: "skills", kind: "tags", hint: true },
  { key: "skip_when_nobody", kind: "flag", hint: true },
];

export function Queues() {
  return (
    <NounPage
      noun="queues"
      file="QueueFile"
      fields={FIELDS}
      rare={RARE}
      columns={[
        { key: "steps", show: (tree, id) => <StepSummary tree={tree} id={id} /> },
        { key: "hours", show: (tree, id) => hoursOf(tree, id) },
      ]}
      fresh={(tree) => ({ steps: [{ groups: idsOf(tree, "groups").slice(0, 1) }] })}
    >
      {(id) => <Steps key={id} id={id} />}
    </NounPage>
  );
}

function hoursOf(tree: Tree, id: string) {
  const hours = valueAt(tree, ["queues", id, "hours"]);
  return typeof hours === "string" ? nameOf(tree, "hours", hours) : <Always />;
}

function Always() {
  const t = words.use();
  return (
    <Text size="sm" c="dimmed">
      {t("always")}
    </Text>
  );
}

export function stepsOf(tree: Tree, queue: string): Tree[] {
  const found: Value | undefined = valueAt(tree, ["queues", queue, "steps"]);
  if (Array.isArray(found)) return found.filter(isMapping);
  return isMapping(found) ? [found] : [];
}

/** "3 of Sales for 10 s". */
export function stepText(tree: Tree, step: Tree, t: ReturnType<typeof words.use>): string {
  const whom = [
    ...texts(step.groups).map((id) => nameOf(tree, "groups", id)),
    ...texts(step.agents).map((id) => nameOf(tree, "agents", id)),
  ].join(", ");
  const ring = lengthText(step.ring ?? "10s");
  if (step.ranking === "all") return t("step_all", { whom, ring });
  return t("step_text", { k: String(step.k ?? 3), whom, ring });
}

function StepSummary({ tree, id }: { tree: Tree; id: string }) {
  const t = words.use();
  return (
    <Text size="sm">
      {stepsOf(tree, id)
        .map((step) => stepText(tree, step, t))
        .join(" → ")}
    </Text>
  );
}

function Steps({ id }: { id: string }) {
  const t = words.use();
  const { value, set, flaw } = useAt(["queues", id, "steps"]);
  const steps = Array.isArray(value) ? value : value === undefined ? [] : [value];
  const last = steps.at(-1) ?? {};
  function move(at: number, by: number) {
    const moved = [...steps];
    const [step] = moved.splice(at, 1);
    if (step !== undefined) moved.splice(at + by, 0, step);
    set(moved);
  }
  return (
    <Stack gap="sm">
      <Title order={2} size="h5">
        {t("queues.steps")}
      </Title>
      {flaw !== undefined && steps.length === 0 && <Text c="red">{flaw}</Text>}
      {steps.map((_, at) => (
        <Paper
          // biome-ignore lint/suspicious/noArrayIndexKey: a step is known by its place alone
          key={at}
          withBorder
          p="md"
          component="section"
          aria-label={`${t("step")} ${at + 1}`}
        >
          <Group justify="space-between" mb="xs">
            <Title order={3} size="h6">
              {t("step")} {at + 1}
            </Title>
            <Group gap={4}>
              <Small label={t("up")} disabled={at === 0} onClick={() => move(at, -1)}>
                <IconArrowUp size={16} />
              </Small>
              <Small
                label={t("down")}
                disabled={at === steps.length - 1}
                onClick={() => move(at, 1)}
              >
                <IconArrowDown size={16} />
              </Small>
              <Small
                label={t("remove")}
                disabled={steps.length === 1}
                onClick={() => set(steps.toSpliced(at, 1))}
              >
                <IconTrash size={16} />
              </Small>
            </Group>
          </Group>
          <Fields noun="steps" file="StepFile" at={["queues", id, "steps", at]} fields={STEP} />
        </Paper>
      ))}
      <Button
        variant="light"
        w="fit-content"
        leftSection={<IconPlus size={16} aria-hidden />}
        onClick={() => set([...steps, last])}
      >
        {t("add_step")}
      </Button>
    </Stack>
  );
}

export function Small(props: {
  label: string;
  disabled?: boolean;
  onClick: () => void;
  children: React.ReactNode;
}) {
  return (
    <Tooltip label={props.label}>
      <ActionIcon
        variant="subtle"
        color="gray"
        aria-label={props.label}
        disabled={props.disabled ?? false}
        onClick={props.onClick}
      >
        {props.children}
      </ActionIcon>
    </Tooltip>
  );
}
