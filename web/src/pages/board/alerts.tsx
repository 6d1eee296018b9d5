/** What is wrong now with the system itself: for callers, and what to do about it. */
import { Alert, Text } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { readAlerts } from "@/api/generated";
import { may } from "@/app/session";
import { moment } from "@/i18n/format";
import { language } from "@/i18n/i18n";
import { useSection } from "@/live/live";
import { words } from "./words";

const SHOWN_MAX = 4;

/** The feed says that there are some, and when they are others; the API says them in words. */
export function Alerts() {
  const t = words.use();
  const open = useSection("alerts");
  const which = Object.keys(open).sort().join(" ");
  const lang = language();
  const told = useQuery({
    queryKey: ["alerts", lang, which],
    queryFn: () => readAlerts({ query: { lang }, throwOnError: true }),
    enabled: may("alerts.see") && which !== "",
    placeholderData: keepPreviousData,
  });
  // What was told before is shown on, as far as it still holds.
  const items = (told.data?.data.items ?? []).filter((one) => `${one.kind}/${one.about}` in open);
  if (items.length === 0) return null;
  return (
    <Alert
      color="red"
      icon={<IconAlertTriangle aria-hidden />}
      p="xs"
      role="status"
      aria-label={t("alerts")}
    >
      {items.slice(0, SHOWN_MAX).map((one) => (
        <Text key={`${one.kind}/${one.about}`} size="sm">
          {moment(one.since_at)} <b>{one.about === "" ? one.text : `${one.about}: ${one.text}`}</b>{" "}
          {one.advice}
        </Text>
      ))}
      {items.length > SHOWN_MAX && (
        <Text size="sm">{t("tv_more", { count: items.length - SHOWN_MAX })}</Text>
      )}
    </Alert>
  );
}
