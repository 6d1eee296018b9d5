/** Projects: what numbers, queues, results and viewers belong together. */
import { type Spec, texts } from "../plan/fields";
import { NounPage } from "../plan/noun-page";
import { valueAt } from "../plan/tree";

const FIELDS: Spec[] = [
  { key: "name", kind: "text" },
  { key: "crm", kind: "text", hint: true },
  { key: "results", kind: "tags", hint: true },
  { key: "viewers", kind: "tags" },
];
const SCRIPT: Spec[] = [{ key: "script", kind: "area" }];

export function Projects() {
  return (
    <NounPage
      noun="projects"
      file="ProjectFile"
      fields={FIELDS}
      rare={SCRIPT}
      columns={[
        {
          key: "results",
          show: (tree, id) => texts(valueAt(tree, ["projects", id, "results"])).join(", "),
        },
      ]}
      fresh={() => ({})}
    />
  );
}
