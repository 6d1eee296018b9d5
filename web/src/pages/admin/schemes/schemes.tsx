/** What a caller meets, drawn simply: number, hours, queue, its steps, and what comes at the end. */
import { Anchor, Badge, Card, Group, Stack, Text, Title } from "@mantine/core";
import {
  IconArrowNarrowRight,
  IconClock,
  IconPhoneCall,
  IconPhoneIncoming,
  IconUsers,
} from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { phoneNumber } from "@/i18n/format";
import { lengthText } from "@/parts/lengths";
import { type Tree, valueAt } from "../plan/tree";
import { idsOf, nameOf, useTree } from "../plan/use-plan";
import { stepsOf, stepText } from "../queues/queues";
import { words } from "../words";

export function Schemes() {
  const t = words.use();
  const tree = useTree();
  const queues = idsOf(tree, "queues");
  const fallback = valueAt(tree, ["default_queue"]) ?? queues[0];
  return (
    <Stack>
      <Title order={1} size="h3">
        {t("schemes")}
      </Title>
      <Text c="dimmed" size="sm">
        {t("schemes_why")}
      </Text>
      {queues.map((queue) => (
        <Scheme key={queue} tree={tree} queue={queue} isDefault={queue === fallback} />
      ))}
    </Stack>
  );
}

function Scheme({ tree, queue, isDefault }: { tree: Tree; queue: string; isDefault: boolean }) {
  const t = words.use();
  const numbers = idsOf(tree, "numbers").filter(
    (number) => valueAt(tree, ["numbers", number, "queue"]) === queue,
  );
  const hours = valueAt(tree, ["queues", queue, "hours"]);
  const wait = valueAt(tree, ["queues", queue, "wait_max"]);
  return (
    <Card withBorder component="section" aria-label={nameOf(tree, "queues", queue)}>
      <Title order={2} size="h5" mb="sm">
        <Anchor component={Link} to="/admin/queues" search={{ id: queue } as never}>
          {nameOf(tree, "queues", queue)}
        </Anchor>
      </Title>
      <Group gap="xs" align="stretch">
        <Box icon={<IconPhoneIncoming size={16} aria-hidden />} title={t("numbers")}>
          {numbers.map((number) => (
            <Text size="sm" key={number}>
              {phoneNumber(number)}
            </Text>
          ))}
          {isDefault && (
            <Text size="sm" c="dimmed">
              {t("any_other_number")}
            </Text>
          )}
          {numbers.length === 0 && !isDefault && (
            <Text size="sm" c="dimmed">
              {t("no_number")}
            </Text>
          )}
        </Box>
        <Arrow />
        <Box icon={<IconClock size={16} aria-hidden />} title={t("hours")}>
          <Text size="sm">{typeof hours === "string" ? hours : t("always")}</Text>
        </Box>
        {stepsOf(tree, queue).map((step, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a step is known by its place alone
          <Group key={at} gap="xs" align="stretch" wrap="nowrap">
            <Arrow />
            <Box icon={<IconUsers size={16} aria-hidden />} title={`${t("step")} ${at + 1}`}>
              <Text size="sm">{stepText(tree, step, t)}</Text>
              {step.mode === "add" && <Badge size="xs">{t("choice.add")}</Badge>}
            </Box>
          </Group>
        ))}
        <Arrow />
        <Box icon={<IconPhoneCall size={16} aria-hidden />} title={t("scheme_end")}>
          <Text size="sm">
            {wait === null
              ? t("scheme_rounds")
              : t("scheme_promise", { wait: lengthText(wait ?? "10m") })}
          </Text>
        </Box>
      </Group>
    </Card>
  );
}

function Arrow() {
  return <IconArrowNarrowRight aria-hidden style={{ alignSelf: "center", opacity: 0.5 }} />;
}

function Box(props: { icon: React.ReactNode; title: string; children: React.ReactNode }) {
  return (
    <Card withBorder padding="xs" maw={230} bg="var(--mantine-color-default-hover)">
      <Group gap={6} mb={4}>
        {props.icon}
        <Text size="xs" c="dimmed" fw={600}>
          {props.title}
        </Text>
      </Group>
      {props.children}
    </Card>
  );
}
