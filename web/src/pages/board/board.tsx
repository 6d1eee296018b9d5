import { Title } from "@mantine/core";
import { words } from "@/app/words";

export function BoardPage() {
  const t = words.use();
  return <Title order={1}>{t("loading")}</Title>;
}
