/** What Ctrl+K opens: pages, my status, and dialling whatever number is typed. */
import {
  createSpotlight,
  Spotlight,
  type SpotlightActionData,
  type SpotlightActionGroupData,
} from "@mantine/spotlight";
import { IconCoffee, IconHeadset, IconLogout, IconPhone, IconSearch } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { readDeskOptions } from "@/api/generated/@tanstack/react-query.gen";
import { phoneNumber } from "@/i18n/format";
import { acts, attempt } from "@/pages/desk/acts";
import { readNumber } from "@/pages/desk/dial";
import { rememberShift } from "@/pages/desk/use-phone";
import { useReasons } from "@/parts/reasons/reasons";
import { visible } from "./sections";
import { may, useSession } from "./session";
import { words } from "./words";

const [store, commands] = createSpotlight();
const ICON = { size: 20, "aria-hidden": true } as const;

export default function Commands({ wanted }: { wanted: number }) {
  const t = words.use();
  const [query, setQuery] = useState("");
  const groups = useGroups(query);
  // biome-ignore lint/correctness/useExhaustiveDependencies: each wish opens it
  useEffect(() => commands.open(), [wanted]);
  return (
    <Spotlight
      store={store}
      shortcut={null}
      actions={groups}
      query={query}
      onQueryChange={setQuery}
      nothingFound={t("nothing_found")}
      highlightQuery
      scrollable
      maxHeight={420}
      searchProps={{
        leftSection: <IconSearch {...ICON} />,
        placeholder: t("search"),
        "aria-label": t("search"),
      }}
    />
  );
}

function useGroups(query: string): SpotlightActionGroupData[] {
  const t = words.use();
  const me = useSession((session) => session.me);
  const navigate = useNavigate();
  const pages = visible(me).map((section) => ({
    id: section.name,
    label: t(section.name),
    leftSection: <section.icon {...ICON} />,
    onClick: () => void navigate({ to: section.to }),
  }));
  const groups = [
    { group: t("to_dial"), actions: useDialling(query) },
    { group: t("my_status"), actions: useStatuses() },
    { group: t("pages"), actions: pages },
  ];
  return groups.filter(({ actions }) => actions.length > 0);
}

function useDialling(query: string): SpotlightActionData[] {
  const t = words.use();
  const number = readNumber(query);
  if (number === null || !may("calls.dial")) return [];
  const label = t("dial", { number: phoneNumber(number) });
  return [
    {
      id: "dial",
      label,
      // Found by what was typed, whatever its form.
      keywords: [query],
      leftSection: <IconPhone {...ICON} />,
      onClick: () => void attempt(() => acts.dial(number)),
    },
  ];
}

function useStatuses(): SpotlightActionData[] {
  const t = words.use();
  const reasons = useReasons();
  const navigate = useNavigate();
  const agent = useSession((session) => session.me?.agent ?? null);
  const enabled = agent !== null && may("statuses.choose");
  const { data: desk } = useQuery({ ...readDeskOptions(), enabled });
  if (!enabled || agent === null || desk === undefined) return [];
  return [
    {
      id: "ready",
      label: t("status_ready"),
      leftSection: <IconHeadset {...ICON} />,
      // There his telephone is brought up as well.
      onClick: () => void navigate({ to: "/desk", hash: "ready" }),
    },
    ...desk.pauses.map((reason) => ({
      id: `pause-${reason}`,
      label: t("status_paused", { reason: reasons(reason) }),
      leftSection: <IconCoffee {...ICON} />,
      onClick: () => void attempt(() => acts.status(agent, "paused", reason)),
    })),
    {
      id: "off",
      label: t("status_off"),
      leftSection: <IconLogout {...ICON} />,
      onClick: () => {
        rememberShift(false);
        void attempt(() => acts.status(agent, "signed_out"));
      },
    },
  ];
}
