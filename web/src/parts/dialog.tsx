/** A modal window with a heading of its own: the library's has a second banner, and a mute cross. */
import { CloseButton, Group, Modal, Title } from "@mantine/core";
import { type ReactNode, useEffect } from "react";
import { words } from "@/app/words";

export function Dialog({
  opened,
  close,
  title,
  size = "lg",
  children,
}: {
  opened: boolean;
  close: () => void;
  title: string;
  size?: string;
  children: ReactNode;
}) {
  const t = words.use();
  useFocusBack(opened);
  return (
    <Modal.Root opened={opened} onClose={close} size={size}>
      <Modal.Overlay />
      <Modal.Content aria-label={title}>
        <Modal.Body p="md">
          <Group justify="space-between" mb="sm" wrap="nowrap">
            <Title order={2} size="h4">
              {title}
            </Title>
            <CloseButton onClick={close} aria-label={t("close")} />
          </Group>
          {children}
        </Modal.Body>
      </Modal.Content>
    </Modal.Root>
  );
}

/**
 * Whoever works by keyboard goes on where he was. The library gives focus back only to what is still
 * there, and not when the whole window is taken away; from a menu, its button is meant.
 */
function useFocusBack(opened: boolean) {
  useEffect(() => {
    if (!opened) return;
    const before = document.activeElement;
    const menu = before?.closest("[role=menu]")?.getAttribute("aria-labelledby") ?? null;
    const opener = menu === null ? before : document.getElementById(menu);
    return () => {
      setTimeout(() => {
        const lost = document.activeElement === null || document.activeElement === document.body;
        if (lost && opener instanceof HTMLElement) opener.focus();
      });
    };
  }, [opened]);
}
