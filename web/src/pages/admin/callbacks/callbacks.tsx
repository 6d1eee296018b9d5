/** Rules of call-back: the first that matches a missed call wins. With what they would come to. */
import {
  Alert,
  Anchor,
  Badge,
  Button,
  Group,
  List,
  NativeSelect,
  NumberInput,
  Paper,
  Stack,
  Table,
  Text,
  TextInput,
  Title,
} from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import {
  IconAlertTriangle,
  IconArrowDown,
  IconArrowLeft,
  IconArrowUp,
  IconPlus,
  IconTrash,
} from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { problem } from "@/api/client";
import { type CallbackPreview, previewCallback } from "@/api/generated";
import { i18n } from "@/i18n/i18n";
import { knownZone, momentOf, wallText } from "@/i18n/zones";
import { lengthText } from "@/parts/lengths";
import { useDraft } from "../plan/draft";
import { type Spec, texts } from "../plan/fields";
import { Fields } from "../plan/noun-page";
import { idFor, isMapping, type Tree, type Value } from "../plan/tree";
import { nameOf, useAt, useNamed, useTree } from "../plan/use-plan";
import { Small } from "../queues/queues";
import { say, words } from "../words";

const MATCHES: Spec[] = [
  { key: "queues", kind: "many", of: "queues" },
  { key: "number_classes", kind: "choices" },
  { key: "wait_min", kind: "length", hint: true },
  { key: "hours_missed", kind: "one", of: "hours" },
];
const DOES: Spec[] = [
  { key: "waive", kind: "flag", hint: true },
  { key: "order", kind: "choice" },
  { key: "ladder", kind: "lengths", hint: true },
  { key: "hours", kind: "one", of: "hours" },
  { key: "attempts_max", kind: "whole" },
  { key: "deadline", kind: "length", hint: true },
  { key: "give_up_after", kind: "length", hint: true },
  { key: "reserve", kind: "whole", hint: true },
  { key: "assignee", kind: "one", of: "agents" },
  { key: "group", kind: "one", of: "groups" },
];
const RARE: Spec[] = [
  { key: "gap_min", kind: "length" },
  { key: "ring_agent", kind: "length" },
  { key: "ring_client", kind: "length" },
  { key: "join_line_after", kind: "length", hint: true },
  { key: "briefing", kind: "flag", hint: true },
];

export function Callbacks() {
  const { id } = useSearch({ strict: false }) as { id?: string };
  const { value, set } = useAt(["callback"]);
  const rules = rulesOf(value);
  // A flaw names a rule by its place, a list by its id.
  const at = rules.findIndex((rule, place) => rule.id === id || String(place) === id);
  return (
    <Group align="flex-start" gap="lg">
      <Stack flex="1 1 520px" miw={0}>
        {at >= 0 ? <Rule rules={rules} at={at} /> : <Rules rules={rules} set={set} />}
      </Stack>
      <Preview />
    </Group>
  );
}

/** Without any in the file there is one, all by default. */
export function rulesOf(value: Value | undefined): Tree[] {
  return Array.isArray(value) ? value.filter(isMapping) : [{ id: "default" }];
}

interface RulesProps {
  rules: Tree[];
  set: (value: Value | undefined) => void;
}

function Rules({ rules, set }: RulesProps) {
  const t = words.use();
  const tree = useTree();
  const flaws = useDraft((draft) => draft.flaws);
  const ids = rules.map((rule) => String(rule.id));
  function move(at: number, by: number) {
    const moved = [...rules];
    const [rule] = moved.splice(at, 1);
    if (rule !== undefined) moved.splice(at + by, 0, rule);
    set(moved);
  }
  return (
    <>
      <Group justify="space-between">
        <Title order={1} size="h3">
          {t("callback")}
        </Title>
        <Button
          leftSection={<IconPlus size={16} aria-hidden />}
          onClick={() => set([...rules, { id: idFor(t("rule"), ids) }])}
        >
          {t("add")}
        </Button>
      </Group>
      <Text c="dimmed" size="sm">
        {t("callback_why")}
      </Text>
      <Paper withBorder>
        <Table aria-label={t("callback")} verticalSpacing="sm">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>№</Table.Th>
              <Table.Th>{t("name")}</Table.Th>
              <Table.Th>{t("matches")}</Table.Th>
              <Table.Th>{t("does")}</Table.Th>
              <Table.Th>{t("actions")}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {rules.map((rule, at) => (
              <Table.Tr key={String(rule.id)}>
                <Table.Td>{at + 1}</Table.Td>
                <Table.Td>
                  <Anchor component={Link} to="." search={{ id: rule.id } as never} fw={600}>
                    {String(rule.id)}
                  </Anchor>
                  {flaws.some((flaw) => flaw.place[0] === "callback" && flaw.place[1] === at) && (
                    <Badge color="red" size="xs" ml="xs">
                      <IconAlertTriangle size={10} aria-hidden /> {t("flawed")}
                    </Badge>
                  )}
                </Table.Td>
                <Table.Td>{matchText(tree, rule, t("every_call"))}</Table.Td>
                <Table.Td>
                  {rule.waive === true
                    ? t("not_called_back")
                    : texts(rule.ladder).map(lengthText).join(", ") || t("default_ladder")}
                </Table.Td>
                <Table.Td>
                  <Group gap={2} wrap="nowrap">
                    <Small
                      label={`${t("up")}: ${rule.id}`}
                      disabled={at === 0}
                      onClick={() => move(at, -1)}
                    >
                      <IconArrowUp size={16} />
                    </Small>
                    <Small
                      label={`${t("down")}: ${rule.id}`}
                      disabled={at === rules.length - 1}
                      onClick={() => move(at, 1)}
                    >
                      <IconArrowDown size={16} />
                    </Small>
                    <Small
                      label={`${t("remove")}: ${rule.id}`}
                      disabled={rules.length === 1}
                      onClick={() => set(rules.toSpliced(at, 1))}
                    >
                      <IconTrash size={16} />
                    </Small>
                  </Group>
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Paper>
    </>
  );
}

function matchText(tree: Tree, rule: Tree, every: string): string {
  const parts = [
    ...texts(rule.queues).map((id) => nameOf(tree, "queues", id)),
    ...texts(rule.number_classes).map((kind) => say(`choice.${kind}`)),
    ...(rule.wait_min === undefined ? [] : [`≥ ${lengthText(rule.wait_min)}`]),
    ...(typeof rule.hours_missed === "string" ? [nameOf(tree, "hours", rule.hours_missed)] : []),
  ];
  return parts.join(", ") || every;
}

function Rule({ rules, at }: { rules: Tree[]; at: number }) {
  const t = words.use();
  const { value, set } = useAt(["callback"]);
  const [open, setOpen] = useState(false);
  const written = Array.isArray(value);
  return (
    <>
      <Anchor component={Link} to="." search={{} as never} size="sm">
        <Group gap={4}>
          <IconArrowLeft size={14} aria-hidden />
          {t("callback")}
        </Group>
      </Anchor>
      <Title order={1} size="h3">
        {String(rules[at]?.id)}
      </Title>
      {!written ? (
        <Alert>
          <Stack align="flex-start">
            {t("default_rule")}
            <Button size="xs" onClick={() => set(rules)}>
              {t("own_rule")}
            </Button>
          </Stack>
        </Alert>
      ) : (
        <>
          <Title order={2} size="h5">
            {t("matches")}
          </Title>
          <Fields noun="callback" file="CallbackFile" at={["callback", at]} fields={MATCHES} />
          <Title order={2} size="h5">
            {t("does")}
          </Title>
          <Fields noun="callback" file="CallbackFile" at={["callback", at]} fields={DOES} />
          <Button
            variant="subtle"
            size="compact-sm"
            w="fit-content"
            aria-expanded={open}
            onClick={() => setOpen(!open)}
          >
            {open ? t("less") : t("more")}
          </Button>
          {open && (
            <Fields noun="callback" file="CallbackFile" at={["callback", at]} fields={RARE} />
          )}
        </>
      )}
    </>
  );
}

const CLASSES = ["mobile", "landline", "unknown", "withheld"] as const;

function Preview() {
  const t = words.use();
  const tree = useTree();
  const drafted = useDraft((draft) => draft.base !== "");
  const queues = useNamed("queues");
  const zone = knownZone(tree.zone);
  const [missed, setMissed] = useState(() => wallText(Date.now(), zone));
  const [queue, setQueue] = useState("");
  const [kind, setKind] = useState<(typeof CLASSES)[number]>("mobile");
  const [waited, setWaited] = useState<number | string>(30);
  const chosen = queues.some((each) => each.id === queue) ? queue : (queues[0]?.id ?? "");
  const [settled] = useDebouncedValue(tree, 500);
  const missedAt = momentOf(missed, zone);
  const preview = useQuery({
    queryKey: ["callback-preview", settled, missed, chosen, kind, waited],
    queryFn: async ({ signal }) => {
      const body = {
        missed_at: missedAt,
        queue: chosen,
        number_class: kind,
        waited_ms: Math.round(Number(waited) * 1_000),
        ...(drafted ? { tree: settled } : {}),
      };
      return (await previewCallback({ body, signal, throwOnError: true })).data;
    },
    enabled: chosen !== "" && !Number.isNaN(missedAt),
    placeholderData: (before) => before,
    gcTime: 0,
  });
  return (
    <Paper
      withBorder
      p="md"
      w={340}
      pos="sticky"
      top={120}
      component="section"
      aria-label={t("preview")}
    >
      <Stack gap="sm">
        <Title order={2} size="h5">
          {t("preview")}
        </Title>
        <TextInput
          type="datetime-local"
          label={t("preview_missed")}
          description={zone}
          value={missed}
          onChange={(event) => setMissed(event.currentTarget.value)}
        />
        <NativeSelect
          label={t("numbers.queue")}
          value={chosen}
          data={queues.map(({ id, name }) => ({ value: id, label: name }))}
          onChange={(event) => setQueue(event.currentTarget.value)}
        />
        <Group grow>
          <NativeSelect
            label={t("preview_number")}
            value={kind}
            data={CLASSES.map((each) => ({ value: each, label: say(`choice.${each}`) }))}
            onChange={(event) => setKind(event.currentTarget.value as typeof kind)}
          />
          <NumberInput
            label={t("preview_waited")}
            value={waited}
            min={0}
            max={86_400}
            onChange={setWaited}
          />
        </Group>
        {preview.error !== null && (
          <Alert color="yellow">{problem(preview.error)?.message ?? t("preview_away")}</Alert>
        )}
        {preview.error === null && preview.data !== undefined && <Foreseen shown={preview.data} />}
      </Stack>
    </Paper>
  );
}

function Foreseen({ shown }: { shown: CallbackPreview }) {
  const t = words.use();
  const say_at = (at: number) =>
    new Intl.DateTimeFormat(i18n.language, {
      weekday: "short",
      day: "numeric",
      month: "short",
      hour: "2-digit",
      minute: "2-digit",
      hourCycle: "h23",
      timeZone: shown.zone,
    }).format(at);
  const rule = shown.rule === "_unmatched" ? t("unmatched") : shown.rule;
  return (
    <div aria-live="polite">
      <Text size="sm" c="dimmed">
        {t("preview_rule", { rule })}
      </Text>
      {shown.waiver !== null ? (
        <Text fw={600}>{say(`waiver.${shown.waiver}`)}</Text>
      ) : shown.tries_at.length === 0 ? (
        <Text fw={600}>{t("never_tried")}</Text>
      ) : (
        <>
          <Text size="sm" fw={600} mt="xs">
            {t("preview_tries")}
          </Text>
          <List size="sm" type="ordered">
            {shown.tries_at.slice(0, 12).map((at) => (
              <List.Item key={at}>{say_at(at)}</List.Item>
            ))}
          </List>
          <Text size="sm" mt="xs">
            {t("preview_due", { at: say_at(shown.due_at) })}
          </Text>
          {shown.give_up_at !== null && (
            <Text size="sm">{t("preview_give_up", { at: say_at(shown.give_up_at) })}</Text>
          )}
        </>
      )}
    </div>
  );
}
