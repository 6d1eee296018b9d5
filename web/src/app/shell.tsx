/** What surrounds every page: the menu, who is signed in, and whether we are connected. */
import {
  ActionIcon,
  Alert,
  AppShell,
  Badge,
  Burger,
  Group,
  Menu,
  NavLink,
  Text,
  Tooltip,
  UnstyledButton,
  useMantineColorScheme,
} from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import {
  IconAlertTriangle,
  IconLanguage,
  IconLogout,
  IconSun,
  IconUserCircle,
} from "@tabler/icons-react";
import { Link, Outlet, useLocation, useNavigate } from "@tanstack/react-router";
import { client } from "@/api/client";
import { LANGUAGES, language, setLanguage } from "@/i18n/i18n";
import { closeFeed, type Link as FeedLink, useLive, useSection } from "@/live/live";
import { Commands } from "./commands";
import { queries } from "./queries";
import { visible } from "./sections";
import { useSession } from "./session";
import { words } from "./words";

const LANGUAGE_NAMES = { ru: "Русский", en: "English" };

export function Shell() {
  const t = words.use();
  const [open, menu] = useDisclosure(false);
  const me = useSession((session) => session.me);
  const path = useLocation({ select: (location) => location.pathname });
  return (
    <AppShell
      header={{ height: 52 }}
      navbar={{ width: 228, breakpoint: "sm", collapsed: { mobile: !open } }}
      padding="md"
    >
      <a className="skip-link" href="#content">
        {t("skip")}
      </a>
      <AppShell.Header>
        <Group h="100%" px="md" justify="space-between" wrap="nowrap">
          <Group gap="sm" wrap="nowrap">
            <Burger
              opened={open}
              onClick={menu.toggle}
              hiddenFrom="sm"
              size="sm"
              aria-label={t("menu")}
            />
            <img src="/icon.svg" alt="" width={26} height={26} />
            <Text fw={650}>Perezvon</Text>
          </Group>
          <Group gap="xs" wrap="nowrap">
            <FeedBadge />
            <UserMenu />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="xs" aria-label={t("menu")}>
        {visible(me).map((section) => (
          <NavLink
            key={section.name}
            component={Link}
            to={section.to}
            label={t(section.name)}
            noWrap
            fz="sm"
            leftSection={<section.icon size={18} aria-hidden />}
            active={path.startsWith(section.to)}
            onClick={menu.close}
          />
        ))}
      </AppShell.Navbar>
      <AppShell.Main id="content" tabIndex={-1}>
        <EngineAway />
        <Outlet />
        <Commands />
      </AppShell.Main>
    </AppShell>
  );
}

const FEED_COLOURS: Record<FeedLink, string> = {
  open: "teal",
  connecting: "yellow",
  refused: "red",
  off: "gray",
};

function FeedBadge() {
  const t = words.use();
  const link = useLive((live) => live.link);
  return (
    <Badge variant="dot" color={FEED_COLOURS[link]} role="status">
      {t(`link_${link}`)}
    </Badge>
  );
}

function EngineAway() {
  const t = words.use();
  const engine = useSection("guard").engine;
  if (engine === undefined || engine.up) return null;
  return (
    <Alert color="red" icon={<IconAlertTriangle />} mb="md" role="status">
      {t("engine_away")}
    </Alert>
  );
}

function UserMenu() {
  const t = words.use();
  const me = useSession((session) => session.me);
  const navigate = useNavigate();
  const { toggleColorScheme } = useMantineColorScheme();
  async function leave() {
    await client.delete({ url: "/api/v1/sessions/current" });
    closeFeed();
    queries.clear();
    useSession.setState({ me: null });
    await navigate({ to: "/sign-in" });
  }
  return (
    <>
      <Tooltip label={t("theme")}>
        <ActionIcon
          variant="subtle"
          color="gray"
          aria-label={t("theme")}
          onClick={toggleColorScheme}
        >
          <IconSun size={18} />
        </ActionIcon>
      </Tooltip>
      <Menu position="bottom-end" withArrow>
        <Menu.Target>
          <UnstyledButton aria-label={me?.name ?? ""}>
            <Group gap={6} wrap="nowrap">
              <IconUserCircle size={22} aria-hidden />
              <Text size="sm" visibleFrom="sm">
                {me?.name}
              </Text>
            </Group>
          </UnstyledButton>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item
            component={Link}
            to="/account"
            leftSection={<IconUserCircle size={16} aria-hidden />}
          >
            {t("account")}
          </Menu.Item>
          <Menu.Label>{t("language")}</Menu.Label>
          {LANGUAGES.map((one) => (
            <Menu.Item
              key={one}
              lang={one}
              leftSection={<IconLanguage size={16} aria-hidden />}
              aria-current={one === language()}
              fw={one === language() ? 650 : undefined}
              onClick={() => void setLanguage(one)}
            >
              {LANGUAGE_NAMES[one]}
            </Menu.Item>
          ))}
          <Menu.Divider />
          <Menu.Item
            leftSection={<IconLogout size={16} aria-hidden />}
            onClick={() => void leave()}
          >
            {t("sign_out")}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </>
  );
}
