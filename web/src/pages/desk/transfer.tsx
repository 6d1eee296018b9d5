/** To whom the client is handed over: colleagues with their states, queues, a number outside. */
import { Badge, Button, Group, ScrollArea, Stack, Tabs, Text, TextInput } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { useState } from "react";
import { useSection } from "@/live/live";
import { Dialog } from "@/parts/dialog";
import { acts, attempt, type Target } from "./acts";
import { readNumber } from "./dial";
import { LOOK } from "./looks";
import { colleagues } from "./model";
import type { AtDesk } from "./use-desk";
import { words } from "./words";

export default function Transfer({
  at,
  call,
  opened,
  close,
}: {
  at: AtDesk;
  call: string;
  opened: boolean;
  close: () => void;
}) {
  const t = words.use();
  async function hand(target: Target, attended: boolean) {
    if (await attempt(() => acts.transfer(call, target, attended))) close();
  }
  return (
    <Dialog opened={opened} close={close} title={t("transfer_to")}>
      <Tabs defaultValue="colleagues" keepMounted={false}>
        <Tabs.List>
          <Tabs.Tab value="colleagues">{t("colleagues")}</Tabs.Tab>
          <Tabs.Tab value="queues">{t("queues")}</Tabs.Tab>
          <Tabs.Tab value="number">{t("number_outside")}</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="colleagues" pt="sm">
          <Colleagues at={at} hand={hand} />
        </Tabs.Panel>
        <Tabs.Panel value="queues" pt="sm">
          <Queues at={at} hand={hand} />
        </Tabs.Panel>
        <Tabs.Panel value="number" pt="sm">
          <NumberOutside hand={hand} />
        </Tabs.Panel>
      </Tabs>
    </Dialog>
  );
}

type Hand = (target: Target, attended: boolean) => Promise<void>;

function Colleagues({ at, hand }: { at: AtDesk; hand: Hand }) {
  const t = words.use();
  const [wanted, setWanted] = useState("");
  const found = colleagues(at.desk.agent, useSection("agents"), wanted);
  return (
    <Stack gap="xs">
      <TextInput
        label={t("find_colleague")}
        leftSection={<IconSearch size={16} aria-hidden />}
        value={wanted}
        onChange={(event) => setWanted(event.currentTarget.value)}
        data-autofocus
      />
      <ScrollArea.Autosize mah={360}>
        <Stack gap={4} component="ul" p={0} m={0} style={{ listStyle: "none" }}>
          {found.map(({ id, name, status, free }) => {
            const Icon = LOOK[status].icon;
            return (
              <Group key={id} component="li" justify="space-between" wrap="nowrap" py={2}>
                <Group gap="xs" wrap="nowrap">
                  <Badge
                    variant="light"
                    tt="none"
                    w={150}
                    color={free ? "teal" : status === "available" ? "gray" : LOOK[status].colour}
                    leftSection={<Icon size={14} aria-hidden />}
                  >
                    {status === "available" && !free ? t("away") : t(`status_${status}`)}
                  </Badge>
                  <Text truncate>{name}</Text>
                </Group>
                <Ways
                  free={free}
                  name={name}
                  hand={(attended) => hand({ to_agent: id }, attended)}
                />
              </Group>
            );
          })}
        </Stack>
      </ScrollArea.Autosize>
      {found.length === 0 && <Text c="dimmed">{t("nobody_found")}</Text>}
    </Stack>
  );
}

function Ways({
  free,
  name,
  hand,
}: {
  free: boolean;
  name: string;
  hand: (attended: boolean) => Promise<void>;
}) {
  const t = words.use();
  return (
    <Group gap={6} wrap="nowrap">
      <Button
        size="xs"
        disabled={!free}
        onClick={() => void hand(true)}
        aria-label={t("ask_first_whom", { name })}
      >
        {t("ask_first")}
      </Button>
      <Button
        size="xs"
        variant="default"
        disabled={!free}
        onClick={() => void hand(false)}
        aria-label={t("at_once_whom", { name })}
      >
        {t("at_once")}
      </Button>
    </Group>
  );
}

function Queues({ at, hand }: { at: AtDesk; hand: Hand }) {
  const t = words.use();
  const live = useSection("queues");
  return (
    <Stack gap={4}>
      {at.desk.queues.map(({ id, name }) => (
        <Group key={id} justify="space-between">
          <Text>
            {name}{" "}
            <Text span c="dimmed" size="sm">
              {t("waiting_count", { count: live[id]?.waiting ?? 0 })}
            </Text>
          </Text>
          <Button
            size="xs"
            variant="default"
            onClick={() => void hand({ to_queue: id }, false)}
            aria-label={t("at_once_whom", { name })}
          >
            {t("at_once")}
          </Button>
        </Group>
      ))}
    </Stack>
  );
}

function NumberOutside({ hand }: { hand: Hand }) {
  const t = words.use();
  const [text, setText] = useState("");
  const number = readNumber(text);
  return (
    <Stack gap="sm">
      <TextInput
        label={t("number")}
        inputMode="tel"
        value={text}
        maxLength={100}
        onChange={(event) => setText(event.currentTarget.value)}
      />
      <Ways
        free={number !== null}
        name={text}
        hand={(attended) => hand({ to_number: number ?? "" }, attended)}
      />
    </Stack>
  );
}
