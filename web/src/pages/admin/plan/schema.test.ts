import { expect, test } from "vitest";
import { fieldOf } from "./schema";
import type { Tree } from "./tree";

const SCHEMA: Tree = {
  $defs: {
    Mode: { enum: ["replace", "add"], type: "string" },
    StepFile: {
      properties: {
        k: { default: 3, minimum: 1, maximum: 50, type: "integer" },
        mode: { $ref: "#/$defs/Mode", default: "replace" },
        rounds: { anyOf: [{ type: "integer", minimum: 1 }, { type: "null" }], default: null },
        modes: { anyOf: [{ type: "array", items: { $ref: "#/$defs/Mode" } }] },
      },
    },
  },
};

test("a field's default, limits and choices are those of the schema", () => {
  expect(fieldOf(SCHEMA, "StepFile", "k")).toMatchObject({ byDefault: 3, least: 1, most: 50 });
  expect(fieldOf(SCHEMA, "StepFile", "mode")).toMatchObject({
    byDefault: "replace",
    choices: ["replace", "add"],
    canBeNull: false,
  });
  expect(fieldOf(SCHEMA, "StepFile", "rounds")).toMatchObject({ least: 1, canBeNull: true });
  expect(fieldOf(SCHEMA, "StepFile", "modes").choices).toEqual(["replace", "add"]);
  expect(fieldOf(SCHEMA, "StepFile", "nothing").choices).toEqual([]);
});
