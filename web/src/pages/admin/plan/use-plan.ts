/** The plan as the forms see it: the draft where there is one, else what is in force. */
import { useQuery } from "@tanstack/react-query";
import { createContext, useContext, useMemo } from "react";
import {
  readPlanSchemaOptions,
  readPlanTreeOptions,
} from "@/api/generated/@tanstack/react-query.gen";
import { edit, type Plan, useDraft } from "./draft";
import { type Field, fieldOf } from "./schema";
import { isMapping, isWithin, type Path, same, type Tree, type Value, valueAt } from "./tree";

export interface InForce extends Plan {
  schema: Tree;
}

export const PlanContext = createContext<InForce | null>(null);

export function useInForce(): InForce {
  const found = useContext(PlanContext);
  if (found === null) throw new Error("no plan around this page");
  return found;
}

export function useLoaded() {
  const plan = useQuery({ ...readPlanTreeOptions(), staleTime: 5_000 });
  const schema = useQuery({ ...readPlanSchemaOptions(), staleTime: Number.POSITIVE_INFINITY });
  const value = useMemo<InForce | null>(() => {
    if (plan.data === undefined || schema.data === undefined) return null;
    return {
      version: plan.data.version,
      tree: plan.data.tree as Tree,
      schema: schema.data.fields as Tree,
    };
  }, [plan.data, schema.data]);
  return { value, error: plan.error ?? schema.error, again: () => void plan.refetch() };
}

/** What the forms show. */
export function useTree(): Tree {
  const plan = useInForce();
  const { base, tree } = useDraft();
  return base === "" ? plan.tree : tree;
}

export function useEdit(): (path: Path, value: Value | undefined) => void {
  const plan = useInForce();
  return (path, value) => edit(plan, path, value);
}

export function useField(noun: string, key: string): Field {
  const { schema } = useInForce();
  return useMemo(() => fieldOf(schema, noun, key), [schema, noun, key]);
}

/** A key of the plan: its value, a way to set it, and what a refused check said of it. */
export function useAt(path: Path) {
  const tree = useTree();
  const set = useEdit();
  const { base, before, flaws } = useDraft();
  const value = valueAt(tree, path);
  return {
    value,
    set: (next: Value | undefined) => set(path, next),
    flaw: flaws.find((each) => isWithin(each.place, path))?.reason,
    changed: base !== "" && !same(value, valueAt(before, path)),
  };
}

export interface Named {
  id: string;
  name: string;
}

export function idsOf(tree: Tree, noun: string): string[] {
  const found = tree[noun];
  return isMapping(found) ? Object.keys(found) : [];
}

export function nameOf(tree: Tree, noun: string, id: string): string {
  const name = valueAt(tree, [noun, id, "name"]);
  return typeof name === "string" && name !== "" ? name : id;
}

export function useNamed(noun: string): Named[] {
  const tree = useTree();
  return useMemo(
    () => idsOf(tree, noun).map((id) => ({ id, name: nameOf(tree, noun, id) })),
    [tree, noun],
  );
}
