/** What the plan file's JSON Schema says of a field: its default, its limits, its choices. */
import { isMapping, type Tree, type Value, valueAt } from "./tree";

export interface Field {
  /** What holds when nothing is written. */
  byDefault: Value | undefined;
  least: number | undefined;
  most: number | undefined;
  choices: string[];
  /** Whether `null` may stand there: no limit. */
  canBeNull: boolean;
}

const UNKNOWN: Field = {
  byDefault: undefined,
  least: undefined,
  most: undefined,
  choices: [],
  canBeNull: false,
};

/** `noun` is a name of the schema's, such as `QueueFile`. */
export function fieldOf(schema: Tree, noun: string, key: string): Field {
  const found = valueAt(schema, ["$defs", noun, "properties", key]);
  if (!isMapping(found)) return UNKNOWN;
  const kinds = [found, ...alternatives(found)].map((kind) => resolved(schema, kind));
  const inner = kinds.flatMap((kind) =>
    isMapping(kind.items) ? [resolved(schema, kind.items)] : [],
  );
  const number = (name: string) =>
    kinds.map((kind) => kind[name]).find((each) => typeof each === "number");
  return {
    byDefault: found.default,
    least: number("minimum") as number | undefined,
    most: number("maximum") as number | undefined,
    choices: [
      ...new Set(
        [...kinds, ...inner].flatMap((kind) =>
          Array.isArray(kind.enum) ? kind.enum.map(String) : [],
        ),
      ),
    ],
    canBeNull: kinds.some((kind) => kind.type === "null"),
  };
}

function alternatives(kind: Tree): Tree[] {
  const lists = [kind.anyOf, kind.allOf].filter((each): each is Value[] => Array.isArray(each));
  return lists.flat().filter(isMapping);
}

function resolved(schema: Tree, kind: Tree): Tree {
  if (typeof kind.$ref !== "string") return kind;
  const target = valueAt(schema, kind.$ref.replace(/^#\//, "").split("/"));
  return isMapping(target) ? { ...target, ...kind } : kind;
}
