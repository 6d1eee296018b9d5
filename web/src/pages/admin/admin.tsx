/** The frame of the admin's pages: a side list, and the draft that gathers all edits. */
import { Badge, Box, Button, Flex, Group, NavLink, Paper, ScrollArea, Text } from "@mantine/core";
import { IconArrowBackUp, IconListCheck } from "@tabler/icons-react";
import { Link, Outlet, useLocation } from "@tanstack/react-router";
import { useEffect } from "react";
import { Failure, Loading } from "@/app/outcomes";
import { may, useSession } from "@/app/session";
import { Meanwhile } from "./meanwhile";
import { discard, openDraft, useDraft } from "./plan/draft";
import { touched } from "./plan/tree";
import { PlanContext, useLoaded } from "./plan/use-plan";
import { words } from "./words";

const SIDE = [
  { group: "side_calls", to: "/admin/schemes", noun: "schemes", needs: "plan.see" },
  { to: "/admin/numbers", noun: "numbers", needs: "plan.see" },
  { to: "/admin/queues", noun: "queues", needs: "plan.see" },
  { to: "/admin/hours", noun: "hours", needs: "plan.see" },
  { to: "/admin/callbacks", noun: "callback", needs: "plan.see" },
  { to: "/admin/trunks", noun: "trunks", needs: "plan.see" },
  { to: "/admin/projects", noun: "projects", needs: "plan.see" },
  { group: "side_people", to: "/admin/agents", noun: "agents", needs: "plan.see" },
  { to: "/admin/groups", noun: "groups", needs: "plan.see" },
  { to: "/admin/phones", noun: "phones", needs: "plan.change" },
  { group: "side_versions", to: "/admin/review", noun: "review", needs: "plan.see" },
  { to: "/admin/versions", noun: "versions", needs: "plan.see" },
  { to: "/admin/text", noun: "text", needs: "plan.see" },
  { group: "side_access", to: "/admin/users", noun: "users", needs: "users.manage" },
  { to: "/admin/keys", noun: "keys", needs: "keys.manage" },
  { to: "/admin/audit", noun: "audit", needs: "audit.see" },
] as const;

export function Admin() {
  const t = words.use();
  const me = useSession((session) => session.me);
  const login = me?.login ?? "";
  useEffect(() => openDraft(login), [login]);
  const path = useLocation({ select: (location) => location.pathname });
  const { value, error, again } = useLoaded();
  const flaws = useDraft((draft) => draft.flaws);
  return (
    <Flex gap="lg" align="flex-start" direction={{ base: "column", md: "row" }}>
      <Box component="nav" aria-label={t("side")} w={{ base: "100%", md: 196 }} flex="none">
        <ScrollArea.Autosize
          mah={{ base: 180, md: "calc(100vh - 90px)" }}
          type="hover"
          scrollbarSize={6}
        >
          {SIDE.filter((item) => may(item.needs, me ?? null)).map((item) => (
            <div key={item.to}>
              {"group" in item && (
                <Text size="xs" c="dimmed" fw={600} mt={10} mb={2} px="sm">
                  {t(item.group)}
                </Text>
              )}
              <NavLink
                component={Link}
                to={item.to}
                search={{} as never}
                py={3}
                label={t(item.noun)}
                active={path.startsWith(item.to)}
                rightSection={<FlawCount count={flaws.filter(ofNoun(item.noun)).length} />}
              />
            </div>
          ))}
        </ScrollArea.Autosize>
      </Box>
      <Box flex={1} miw={0} w="100%">
        {value !== null ? (
          <PlanContext.Provider value={value}>
            <DraftBar />
            <Meanwhile />
            <Outlet />
          </PlanContext.Provider>
        ) : error !== null ? (
          <Failure error={error} again={again} />
        ) : (
          <Loading />
        )}
      </Box>
    </Flex>
  );
}

function ofNoun(noun: string) {
  return (flaw: { place: readonly (string | number)[] }) =>
    flaw.place[0] === noun || (noun === "hours" && flaw.place[0] === "holidays");
}

function FlawCount({ count }: { count: number }) {
  const t = words.use();
  if (count === 0) return null;
  return (
    <Badge color="red" size="sm" aria-label={t("flaws", { count })}>
      {count}
    </Badge>
  );
}

function DraftBar() {
  const t = words.use();
  const { base, before, tree } = useDraft();
  if (base === "") return null;
  const count = touched(before, tree).length;
  return (
    <Paper withBorder p="xs" mb="md" pos="sticky" top={60} style={{ zIndex: 50 }} shadow="xs">
      <Group justify="space-between">
        <Text size="sm" fw={600} role="status">
          {t("draft", { count })}
        </Text>
        <Group gap="xs">
          <Button
            variant="default"
            size="xs"
            leftSection={<IconArrowBackUp size={14} aria-hidden />}
            onClick={discard}
          >
            {t("discard")}
          </Button>
          <Button
            component={Link}
            to="/admin/review"
            size="xs"
            leftSection={<IconListCheck size={14} aria-hidden />}
          >
            {t("check")}
          </Button>
        </Group>
      </Group>
    </Paper>
  );
}
