/** A modal window with a heading of its own: the library's has a second banner, and a mute cross. */
import { CloseButton, Group, Modal, Title } from "@mantine/core";
import type { ReactNode } from "react";
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
