/** Buttons of the call: of the telephone on this page, and what the server does for any device. */
import { ActionIcon, Button, Group, SimpleGrid, Stack, Text, Tooltip } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import {
  IconArrowsExchange,
  IconGridDots,
  IconMicrophone,
  IconMicrophoneOff,
  IconPhone,
  IconPhoneOff,
  IconPhoneX,
  IconPlayerPause,
  IconPlayerPlay,
} from "@tabler/icons-react";
import { lazy, type ReactNode, Suspense, useEffect, useRef } from "react";
import { type Action, keysOf, toneOf, useShortcuts } from "./keys";
import { Meters } from "./meters";
import type { DeskCall } from "./model";
import type { AtDesk } from "./use-desk";
import { words } from "./words";

const Transfer = lazy(() => import("./transfer"));

const KEYPAD = "123456789*0#".split("");

export function Controls({ at, call }: { at: AtDesk; call: DeskCall }) {
  const t = words.use();
  const { phone, view } = at;
  const heard = view.call;
  const [keypad, { toggle }] = useDisclosure(false);
  const [handing, { open, close }] = useDisclosure(false);
  const ringing = heard?.state === "ringing";
  const talking = heard?.state === "talking";
  const mayHand = call.stage === "talking" && call.id !== null;
  useShortcuts({
    ...(ringing ? { answer: () => void phone?.answer() } : {}),
    ...(heard !== null ? { end: () => (ringing ? phone?.reject() : phone?.hangUp()) } : {}),
    ...(talking ? { mute: () => phone?.mute(!heard.muted) } : {}),
    ...(talking ? { hold: () => phone?.hold(!heard.held) } : {}),
    ...(mayHand ? { transfer: open } : {}),
  });
  if (call.stage === "wrap_up") return null;
  if (heard === null && !mayHand) return <Elsewhere at={at} call={call} />;
  return (
    <Stack gap="sm">
      <Group gap={6}>
        {ringing && (
          <>
            <Does
              action="answer"
              colour="teal.9"
              icon={<IconPhone size={20} aria-hidden />}
              onClick={() => void phone?.answer()}
              label={t("answer")}
              big
            />
            <Does
              action="end"
              colour="red.8"
              icon={<IconPhoneX size={20} aria-hidden />}
              onClick={() => phone?.reject()}
              label={t("reject")}
              big
            />
          </>
        )}
        {talking && (
          <>
            <Does
              action="mute"
              pressed={heard.muted}
              icon={
                heard.muted ? (
                  <IconMicrophoneOff size={18} aria-hidden />
                ) : (
                  <IconMicrophone size={18} aria-hidden />
                )
              }
              onClick={() => phone?.mute(!heard.muted)}
              label={t(heard.muted ? "unmute" : "mute")}
            />
            <Does
              action="hold"
              pressed={heard.held}
              icon={
                heard.held ? (
                  <IconPlayerPlay size={18} aria-hidden />
                ) : (
                  <IconPlayerPause size={18} aria-hidden />
                )
              }
              onClick={() => phone?.hold(!heard.held)}
              label={t(heard.held ? "unhold" : "hold")}
            />
            <Tooltip label={t("keypad")}>
              <ActionIcon
                size={36}
                variant={keypad ? "light" : "default"}
                aria-expanded={keypad}
                aria-label={t("keypad")}
                onClick={toggle}
              >
                <IconGridDots size={18} aria-hidden />
              </ActionIcon>
            </Tooltip>
          </>
        )}
        {mayHand && (
          <Does
            action="transfer"
            icon={<IconArrowsExchange size={18} aria-hidden />}
            onClick={open}
            label={t("transfer")}
          />
        )}
        {heard !== null && !ringing && (
          <Does
            action="end"
            colour="red.8"
            icon={<IconPhoneOff size={18} aria-hidden />}
            onClick={() => phone?.hangUp()}
            label={t("hang_up")}
          />
        )}
      </Group>
      {keypad && talking && <Keypad press={(tone) => phone?.press(tone)} />}
      {talking && <Meters phone={phone} />}
      {mayHand && call.id !== null && (
        <Suspense>
          <Transfer at={at} call={call.id} opened={handing} close={close} />
        </Suspense>
      )}
    </Stack>
  );
}

/** For the mouse and for the keyboard: what is typed goes there while it is open. */
function Keypad({ press }: { press: (tone: string) => void }) {
  const t = words.use();
  const group = useRef<HTMLDivElement>(null);
  useEffect(() => group.current?.focus(), []);
  return (
    <SimpleGrid
      ref={group}
      tabIndex={-1}
      cols={3}
      spacing={6}
      w={200}
      role="group"
      aria-label={t("keypad")}
      onKeyDown={(event) => {
        const tone = toneOf(event);
        if (tone !== null) press(tone);
      }}
    >
      {KEYPAD.map((key) => (
        <Button key={key} variant="default" onClick={() => press(key)}>
          {key}
        </Button>
      ))}
    </SimpleGrid>
  );
}

/** A SIP telephone or a mobile has buttons of its own. */
function Elsewhere({ at, call }: { at: AtDesk; call: DeskCall }) {
  const t = words.use();
  if (at.inBrowser && at.view.state === "ready") return null;
  return (
    <Text c="dimmed">{t(call.stage === "incoming" ? "take_your_phone" : "on_your_phone")}</Text>
  );
}

function Does({
  action,
  label,
  icon,
  onClick,
  colour,
  pressed,
  big = false,
}: {
  action: Action;
  label: string;
  icon: ReactNode;
  onClick: () => void;
  colour?: string;
  pressed?: boolean;
  big?: boolean;
}) {
  const quiet = colour === undefined;
  return (
    <Tooltip label={`${label} · ${keysOf(action)}`}>
      <Button
        size={big ? "md" : "sm"}
        px={big ? undefined : "sm"}
        variant={quiet ? (pressed ? "light" : "default") : "filled"}
        color={colour ?? (pressed ? "orange" : undefined)}
        leftSection={icon}
        onClick={onClick}
        aria-pressed={pressed}
        aria-keyshortcuts={keysOf(action).replace("Ctrl", "Control")}
      >
        {label}
      </Button>
    </Tooltip>
  );
}
