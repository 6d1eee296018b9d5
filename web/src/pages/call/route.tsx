/** Why it went so: whom the call was offered to and why, line by line. */
import { Skeleton, Stack, Table, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { explainCallOptions } from "@/api/generated/@tanstack/react-query.gen";
import { Failure } from "@/app/outcomes";
import { fullMoment } from "@/i18n/format";
import { language } from "@/i18n/i18n";
import { words } from "./words";

export function Route({ call }: { call: string }) {
  const t = words.use();
  const found = useQuery(explainCallOptions({ path: { call }, query: { lang: language() } }));
  return (
    <Stack gap="sm" component="section" aria-labelledby="call-why">
      <Title order={2} size="h4" id="call-why">
        {t("why")}
      </Title>
      {found.isPending && <Skeleton height={160} />}
      {found.isError && <Failure error={found.error} again={() => void found.refetch()} />}
      {found.data !== undefined && (
        <Table fz="sm" verticalSpacing={4} horizontalSpacing="xs" aria-labelledby="call-why">
          <Table.Tbody>
            {found.data.lines.map((line, place) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: a told story only grows at its end
              <Table.Tr key={place}>
                <Table.Td w={80} c="dimmed" title={fullMoment(line.at)} valign="top">
                  {line.clock}
                </Table.Td>
                <Table.Td>{line.text}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
    </Stack>
  );
}
