/** Telephones: who can be rung now, and what to type into a SIP phone. */
import {
  Alert,
  Box,
  Button,
  CopyButton,
  Group,
  Modal,
  Paper,
  Stack,
  Table,
  Text,
  Title,
} from "@mantine/core";
import { IconCopy, IconEye, IconQrcode } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import type { PhoneSettings } from "@/api/generated";
import { readPhoneSettingsMutation } from "@/api/generated/@tanstack/react-query.gen";
import { Failure } from "@/app/outcomes";
import { picture } from "@/parts/picture";
import { Reachable } from "../agents/agents";
import { texts } from "../plan/fields";
import { valueAt } from "../plan/tree";
import { idsOf, nameOf, useInForce } from "../plan/use-plan";
import { say, words } from "../words";

export function Phones() {
  const t = words.use();
  const { tree } = useInForce();
  const show = useMutation(readPhoneSettingsMutation());
  return (
    <Stack maw={960}>
      <Title order={1} size="h3">
        {t("phones")}
      </Title>
      <Text c="dimmed" size="sm">
        {t("phones_why")}
      </Text>
      {show.error !== null && <Failure error={show.error} />}
      <Paper withBorder>
        <Table aria-label={t("phones")} verticalSpacing="sm">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t("agents.one")}</Table.Th>
              <Table.Th>{t("agents.device")}</Table.Th>
              <Table.Th>{t("agents.reachable")}</Table.Th>
              <Table.Th>{t("actions")}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {idsOf(tree, "agents").map((id) => {
              const device = String(valueAt(tree, ["agents", id, "device"]) ?? "sip");
              const others = texts(valueAt(tree, ["agents", id, "devices"]));
              const all = [device, ...others.filter((each) => each !== device)];
              return (
                <Table.Tr key={id}>
                  <Table.Td>{nameOf(tree, "agents", id)}</Table.Td>
                  <Table.Td>{all.map((each) => say(`choice.${each}`)).join(", ")}</Table.Td>
                  <Table.Td>
                    <Reachable id={id} />
                  </Table.Td>
                  <Table.Td>
                    {all.includes("sip") && (
                      <Button
                        size="compact-sm"
                        variant="light"
                        leftSection={<IconQrcode size={14} aria-hidden />}
                        aria-label={`${t("phone_settings")}: ${nameOf(tree, "agents", id)}`}
                        loading={show.isPending && show.variables.path.agent === id}
                        onClick={() => show.mutate({ path: { agent: id } })}
                      >
                        {t("phone_settings")}
                      </Button>
                    )}
                  </Table.Td>
                </Table.Tr>
              );
            })}
          </Table.Tbody>
        </Table>
      </Paper>
      {show.data !== undefined && <Settings shown={show.data} onClose={show.reset} />}
    </Stack>
  );
}

function Settings({ shown, onClose }: { shown: PhoneSettings; onClose: () => void }) {
  const t = words.use();
  const rows = [
    [t("sip_server"), `${shown.server}:${shown.port}`],
    [t("sip_transport"), shown.transport],
    [t("sip_user"), shown.username],
    [t("sip_secret"), shown.secret],
  ];
  return (
    <Modal opened onClose={onClose} size="lg" title={`${t("phone_settings")}: ${shown.agent}`}>
      <Stack>
        <Alert icon={<IconEye />} color="yellow">
          {t("secret_seen")}
        </Alert>
        <Group align="flex-start" wrap="nowrap">
          <Box component="img" w={220} alt={t("qr_alt")} src={picture(shown.svg)} />
          <Stack gap="xs" flex={1}>
            <Table aria-label={t("phone_settings")} layout="fixed">
              <Table.Tbody>
                {rows.map(([name, value]) => (
                  <Table.Tr key={name}>
                    <Table.Th w={110}>{name}</Table.Th>
                    <Table.Td style={{ overflowWrap: "anywhere" }} ff="monospace">
                      {value}
                    </Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
            <CopyButton value={shown.text}>
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
          </Stack>
        </Group>
      </Stack>
    </Modal>
  );
}
