/** Incoming numbers: which queue each leads to. */
import type { Spec } from "../plan/fields";
import { NounPage } from "../plan/noun-page";
import { type Tree, valueAt } from "../plan/tree";
import { idsOf, nameOf } from "../plan/use-plan";

const FIELDS: Spec[] = [
  { key: "queue", kind: "one", of: "queues", required: true },
  { key: "trunk", kind: "one", of: "trunks" },
  { key: "project", kind: "one", of: "projects" },
];

export function Numbers() {
  return (
    <NounPage
      noun="numbers"
      file="NumberFile"
      keyed
      fields={FIELDS}
      columns={[
        { key: "queue", show: (tree, id) => named(tree, id, "queue", "queues") },
        { key: "trunk", show: (tree, id) => named(tree, id, "trunk", "trunks") },
        { key: "project", show: (tree, id) => named(tree, id, "project", "projects") },
      ]}
      fresh={(tree) => {
        const [queue = ""] = idsOf(tree, "queues");
        return { queue };
      }}
    />
  );
}

function named(tree: Tree, id: string, key: string, noun: string): string {
  const found = valueAt(tree, ["numbers", id, key]);
  return typeof found === "string" ? nameOf(tree, noun, found) : "—";
}
