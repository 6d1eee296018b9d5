/** Trunks to carriers, and whether each is up now. */
import { Badge, Text } from "@mantine/core";
import { useSection } from "@/live/live";
import type { Spec } from "../plan/fields";
import { NounPage } from "../plan/noun-page";
import { valueAt } from "../plan/tree";
import { useInForce } from "../plan/use-plan";
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
  const { tree } = useInForce();
  const row = useSection("trunks")[id];
  const alerts = Object.values(useSection("alerts")).filter((each) => each.about === id);
  const lost = alerts.find((each) => each.kind === "registration_lost");
  const alert = lost ?? alerts.find((each) => each.kind === "trunk_down");
  const registers = valueAt(tree, ["trunks", id, "register"]) === true;
  if (row === undefined)
    return (
      <Text c="dimmed" size="sm">
        {t("not_in_force")}
      </Text>
    );
  const up = row.up && alert === undefined;
  const works = registers ? "trunk_registered" : "trunk_up";
  const fails = lost === undefined ? "trunk_down" : "trunk_unregistered";
  const told = up ? works : fails;
  return (
    <>
      <Badge variant="dot" color={up ? "teal" : "red"}>
        {t(told)}
      </Badge>
      {alert !== undefined && (
        <Text size="xs" c="red">
          {alert.detail}
        </Text>
      )}
    </>
  );
}
