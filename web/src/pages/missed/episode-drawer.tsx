/** One episode in full: what happened and when, whom it rang, our attempts, and what can be done. */
import {
  Button,
  CloseButton,
  Drawer,
  Group,
  Loader,
  Paper,
  SimpleGrid,
  Stack,
  Table,
  Text,
  Timeline,
  Title,
} from "@mantine/core";
import { IconPhoneOutgoing, IconTrashX, IconUserShare } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import type { Debt } from "@/api/generated";
import { explainDebtOptions, readDebtOptions } from "@/api/generated/@tanstack/react-query.gen";
import { Failure, Loading } from "@/app/outcomes";
import { may } from "@/app/session";
import { words as appWords } from "@/app/words";
import { clock, fullMoment, moment, phoneNumber } from "@/i18n/format";
import { language } from "@/i18n/i18n";
import { CallLink } from "@/parts/call-link";
import type { DebtActions } from "@/parts/debts/debt-actions";
import { ReactionBadge } from "@/parts/debts/reaction";
import { words as debtWords } from "@/parts/debts/words";
import type { Names } from "@/parts/names";
import { words } from "./words";

interface Props {
  debt: string | null;
  names: Names;
  actions: DebtActions;
  close: () => void;
}

export function EpisodeDrawer({ debt, names, actions, close }: Props) {
  const t = words.use();
  const a = appWords.use();
  return (
    <Drawer.Root opened={debt !== null} onClose={close} position="right" size={560}>
      <Drawer.Overlay />
      <Drawer.Content aria-label={t("open")}>
        <Drawer.Body p="md">
          <CloseButton
            onClick={close}
            aria-label={a("close")}
            style={{ position: "absolute", insetInlineEnd: 16 }}
          />
          {debt !== null && <Episode id={debt} names={names} actions={actions} />}
        </Drawer.Body>
      </Drawer.Content>
    </Drawer.Root>
  );
}

function Episode({ id, names, actions }: { id: string; names: Names; actions: DebtActions }) {
  const found = useQuery(readDebtOptions({ path: { debt: id } }));
  if (found.isPending) return <Loading />;
  if (found.isError) return <Failure error={found.error} again={() => void found.refetch()} />;
  const debt = found.data;
  return (
    <Stack gap="lg">
      <Head debt={debt} names={names} />
      <Means debt={debt} actions={actions} />
      <Figures debt={debt} names={names} />
      <Rung debt={debt} names={names} />
      <Tries debt={debt} names={names} />
      {may("calls.explain") && <Story id={id} />}
    </Stack>
  );
}

function Head({ debt, names }: { debt: Debt; names: Names }) {
  const t = words.use();
  const d = debtWords.use();
  const by = debt.settled_by === null ? "" : names.agent(debt.settled_by);
  return (
    <Stack gap={4}>
      <Title order={2} size="h3">
        {phoneNumber(debt.number) || t("unknown")}
      </Title>
      {debt.name !== null && debt.name !== undefined && <Text>{debt.name}</Text>}
      <ReactionBadge reaction={debt.reaction} />
      <Text size="sm" c="dimmed">
        {d(`reason_${debt.reason}`)} · {names.queue(debt.queue)}
      </Text>
      {debt.state === "waived" && (
        <Text size="sm">{t("waived_by", { by, reason: debt.settled_reason ?? "" })}</Text>
      )}
      {debt.state === "recovered" && <Text size="sm">{t("settled_by", { by })}</Text>}
      {debt.reopened_at !== null && (
        <Text size="sm">{t("reopened", { when: moment(debt.reopened_at) })}</Text>
      )}
    </Stack>
  );
}

function Means({ debt, actions }: { debt: Debt; actions: DebtActions }) {
  const d = debtWords.use();
  if (debt.state !== "open") return null;
  return (
    <Group gap="xs">
      {may("debts.callback") && (
        <Button
          size="xs"
          leftSection={<IconPhoneOutgoing size={16} aria-hidden />}
          onClick={() => actions.callNow([debt.id])}
        >
          {d("call_now")}
        </Button>
      )}
      {may("debts.assign") && (
        <Button
          size="xs"
          variant="default"
          leftSection={<IconUserShare size={16} aria-hidden />}
          onClick={() => actions.askAssign([debt.id])}
        >
          {d("assign")}
        </Button>
      )}
      {may("debts.waive") && (
        <Button
          size="xs"
          variant="light"
          color="red"
          leftSection={<IconTrashX size={16} aria-hidden />}
          onClick={() => actions.askWaive([debt.id])}
        >
          {d("waive")}
        </Button>
      )}
    </Group>
  );
}

function Figures({ debt, names }: { debt: Debt; names: Names }) {
  const t = words.use();
  const at = (moment: number | null) => (moment === null ? "—" : fullMoment(moment));
  const length = (ms: number | null) => (ms === null ? "—" : clock(ms));
  const told = [
    [t("first_call"), at(debt.first_at ?? debt.opened_at)],
    [t("last_call"), `${at(debt.last_at)} · ${t("calls", { count: debt.calls })}`],
    [t("longest_wait"), length(debt.waited_ms)],
    [t("reaction_time"), length(debt.reaction_ms)],
    [t("due_time"), at(debt.due_at)],
    [t("owner"), debt.owner === null ? t("no_owner") : names.agent(debt.owner)],
  ];
  return (
    <SimpleGrid cols={2} spacing="xs" component="dl" m={0}>
      {told.map(([name, value]) => (
        <Paper key={name} withBorder p="xs">
          <Text size="xs" c="dimmed" component="dt">
            {name}
          </Text>
          <Text size="sm" component="dd" m={0}>
            {value}
          </Text>
        </Paper>
      ))}
    </SimpleGrid>
  );
}

function Rung({ debt, names }: { debt: Debt; names: Names }) {
  const t = words.use();
  const d = debtWords.use();
  const rung = debt.rung ?? [];
  if (rung.length === 0) return null;
  return (
    <section>
      <Title order={3} size="h5" mb={4}>
        {t("rung")}
      </Title>
      <Table aria-label={t("rung")} verticalSpacing={4}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t("time")}</Table.Th>
            <Table.Th>{t("agent")}</Table.Th>
            <Table.Th>{t("rang")}</Table.Th>
            <Table.Th>{t("outcome")}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rung.map((ring) => (
            <Table.Tr key={`${ring.call}/${ring.made_at}/${ring.agent}`}>
              <Table.Td>{moment(ring.made_at)}</Table.Td>
              <Table.Td>{names.agent(ring.agent)}</Table.Td>
              <Table.Td>{ring.ring_ms === null ? "" : clock(ring.ring_ms)}</Table.Td>
              <Table.Td>
                {ring.outcome === null ? d("offer_ringing") : d(`offer_${ring.outcome}`)}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </section>
  );
}

function Tries({ debt, names }: { debt: Debt; names: Names }) {
  const t = words.use();
  const d = debtWords.use();
  const tries = debt.tries ?? [];
  if (tries.length === 0) return null;
  return (
    <section>
      <Title order={3} size="h5" mb={4}>
        {t("tries")}
      </Title>
      <Table aria-label={t("tries")} verticalSpacing={4}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t("time")}</Table.Th>
            <Table.Th>{t("agent")}</Table.Th>
            <Table.Th>{t("outcome")}</Table.Th>
            <Table.Th>{t("talk")}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {tries.map((each) => (
            <Table.Tr key={each.dial}>
              <Table.Td>{moment(each.started_at)}</Table.Td>
              <Table.Td>{each.agent === null ? "" : names.agent(each.agent)}</Table.Td>
              <Table.Td>
                {each.outcome === null ? d("try_under_way") : d(`try_${each.outcome}`)}
              </Table.Td>
              <Table.Td>
                {each.talk_ms !== null && (
                  <CallLink call={each.call}>
                    {clock(each.talk_ms)} · {t("listen")}
                  </CallLink>
                )}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      <CallLink call={debt.first_call}>{t("to_call")}</CallLink>
    </section>
  );
}

function Story({ id }: { id: string }) {
  const t = words.use();
  const story = useQuery(explainDebtOptions({ path: { debt: id }, query: { lang: language() } }));
  if (story.isPending) return <Loader size="sm" aria-label={t("timeline")} />;
  if (story.isError) return <Failure error={story.error} again={() => void story.refetch()} />;
  const lines = story.data.lines;
  return (
    <section>
      <Title order={3} size="h5" mb="xs">
        {t("timeline")}
      </Title>
      <Timeline bulletSize={10} lineWidth={2} active={lines.length}>
        {lines.map((line) => (
          <Timeline.Item key={`${line.at}/${line.text}`}>
            <Text size="xs" c="dimmed" title={fullMoment(line.at)}>
              {line.clock}
            </Text>
            <Text size="sm">{line.text}</Text>
          </Timeline.Item>
        ))}
      </Timeline>
    </section>
  );
}
