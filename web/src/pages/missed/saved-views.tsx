/** Views of the list under names of one's own, kept on the server. */
import { ActionIcon, Button, Group, Menu, Stack, Text, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { notifications } from "@mantine/notifications";
import { IconBookmark, IconBookmarkPlus, IconTrash } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { defaultParseSearch, useLocation } from "@tanstack/react-router";
import { useState } from "react";
import { problem } from "@/api/client";
import {
  readSavedViewsOptions,
  readSavedViewsQueryKey,
  removeSavedViewMutation,
  saveViewMutation,
} from "@/api/generated/@tanstack/react-query.gen";
import { Dialog } from "@/parts/dialog";
import { words } from "./words";

const PAGE = { query: { page: "missed" } } as const;
const NAME_LENGTH_MAX = 60;

export function SavedViews({ apply }: { apply: (search: Record<string, unknown>) => void }) {
  const t = words.use();
  const queries = useQueryClient();
  const views = useQuery(readSavedViewsOptions(PAGE)).data?.items ?? [];
  const [asking, ask] = useDisclosure(false);
  const again = () => queries.invalidateQueries({ queryKey: readSavedViewsQueryKey(PAGE) });
  const removal = useMutation({ ...removeSavedViewMutation(), onSuccess: again });
  return (
    <>
      <Menu position="bottom-end" withinPortal closeOnItemClick={false}>
        <Menu.Target>
          <Button variant="default" size="xs" leftSection={<IconBookmark size={16} aria-hidden />}>
            {t("views")}
          </Button>
        </Menu.Target>
        <Menu.Dropdown miw={240}>
          {views.length === 0 && <Menu.Label>{t("views_none")}</Menu.Label>}
          {views.map((view) => (
            <Group key={view.id} gap={2} wrap="nowrap">
              <Menu.Item
                closeMenuOnClick
                onClick={() => apply(defaultParseSearch(view.query))}
                style={{ flex: 1, minWidth: 0 }}
              >
                <Text size="sm" truncate>
                  {view.name}
                </Text>
              </Menu.Item>
              <ActionIcon
                variant="subtle"
                color="gray"
                aria-label={t("view_remove", { name: view.name })}
                onClick={() => removal.mutate({ path: { view: view.id } })}
              >
                <IconTrash size={16} />
              </ActionIcon>
            </Group>
          ))}
          <Menu.Divider />
          <Menu.Item
            closeMenuOnClick
            leftSection={<IconBookmarkPlus size={16} aria-hidden />}
            onClick={ask.open}
          >
            {t("view_save")}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Dialog opened={asking} close={ask.close} title={t("view_save")}>
        <SaveForm onDone={again} onClose={ask.close} />
      </Dialog>
    </>
  );
}

function SaveForm({ onDone, onClose }: { onDone: () => void; onClose: () => void }) {
  const t = words.use();
  const [name, setName] = useState("");
  const query = useLocation({ select: (location) => location.searchStr.replace(/^\?/, "") });
  const saving = useMutation({
    ...saveViewMutation(),
    onSuccess: () => {
      notifications.show({ message: t("view_saved"), color: "teal" });
      onDone();
      onClose();
    },
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (name.trim() !== "") saving.mutate({ body: { page: "missed", name, query } });
      }}
    >
      <Stack>
        <TextInput
          label={t("view_name")}
          value={name}
          maxLength={NAME_LENGTH_MAX}
          onChange={(event) => setName(event.currentTarget.value)}
          error={saving.isError ? problem(saving.error)?.message : undefined}
          data-autofocus
        />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {t("cancel")}
          </Button>
          <Button type="submit" loading={saving.isPending} disabled={name.trim() === ""}>
            {t("save")}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
