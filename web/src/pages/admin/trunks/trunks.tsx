/** Trunks to carriers, and whether each is up now. */
import { Badge, Text } from "@mantine/core";
import { useSection } from "@/live/live";
import type { Spec } from "../plan/fields";
import { NounPage } from "../plan/noun-page";
import { valueAt } from "../plan/tree";
import { words } from "../words";

const FIELDS: Spec[] = [
  { key: "host", kind: "text", required: true, example: "sip.example.com" },
  { key: "port", kind: "whole" },
  { key: "username", kind: "text" },
  { key: "secret", kind: "text", hint: true },
  { key: "register", kind: "flag", hint: true },
  { key: "number_format", kind: "choice", hint: true },
  { key: "match", kind: "tags", hint: true },
];

export function Trunks() {
  return (
    <NounPage
      noun="trunks"
      file="TrunkFile"
      fields={FIELDS}
      columns={[
        { key: "host", show: (tree, id) => String(valueAt(tree, ["trunks", id, "host"]) ?? "") },
        { key: "state", show: (_, id) => <State id={id} /> },
      ]}
      fresh={() => ({ host: "" })}
    />
  );
}

function State({ id }: { id: string }) {
  const t = words.use();
  const row = useSection("trunks")[id];
  const alert = Object.values(useSection("alerts")).find(
    (each) => each.about === id && each.kind.includes("trunk"),
  );
  if (row === undefined)
    return (
      <Text c="dimmed" size="sm">
        {t("not_in_force")}
      </Text>
    );
  return (
    <>
      <Badge variant="dot" color={row.up ? "teal" : "red"}>
        {row.up ? t("trunk_up") : t("trunk_down")}
      </Badge>
      {alert !== undefined && (
        <Text size="xs" c="red">
          {alert.detail}
        </Text>
      )}
    </>
  );
}
