/** The draft of a plan: kept in this browser until it is applied or thrown away. */
import { create } from "zustand";
import {
  type Flaw,
  isMapping,
  type Path,
  same,
  type Tree,
  type Value,
  withoutFlawsOf,
  withValue,
} from "./tree";

interface State {
  /** Whose: two people may share a computer. */
  owner: string;
  /** The version from which it was made; empty: there is no draft. */
  base: string;
  before: Tree;
  tree: Tree;
  flaws: readonly Flaw[];
}

const NOTHING: State = { owner: "", base: "", before: {}, tree: {}, flaws: [] };

export const useDraft = create<State>(() => NOTHING);

const key = (owner: string) => `perezvon.plan-draft.${owner}`;

/** Take up what was left in this browser. */
export function openDraft(owner: string): void {
  if (useDraft.getState().owner === owner) return;
  useDraft.setState({ ...NOTHING, ...kept(owner), owner });
}

function kept(owner: string): Partial<State> {
  try {
    const found: unknown = JSON.parse(window.localStorage.getItem(key(owner)) ?? "null");
    if (!isMapping(found)) return {};
    const { base, before, tree } = found;
    if (typeof base !== "string" || !isMapping(before) || !isMapping(tree)) return {};
    return { base, before, tree };
  } catch {
    // Damaged, or this browser keeps nothing: then there is no draft.
    return {};
  }
}

function keep(): void {
  const { owner, base, before, tree } = useDraft.getState();
  try {
    if (base === "") window.localStorage.removeItem(key(owner));
    else window.localStorage.setItem(key(owner), JSON.stringify({ base, before, tree }));
  } catch {
    // It lives as long as this tab, then.
  }
}

export interface Plan {
  version: string;
  tree: Tree;
}

/** Change one thing. The first change begins the draft, the last that is undone ends it. */
export function edit(plan: Plan, path: Path, value: Value | undefined): void {
  const { base, before, tree, flaws } = useDraft.getState();
  const begun = base === "" ? { base: plan.version, before: plan.tree, tree: plan.tree } : null;
  const next = withValue(begun?.tree ?? tree, path, value);
  replace({
    base: begun?.base ?? base,
    before: begun?.before ?? before,
    tree: next,
    flaws: withoutFlawsOf(flaws, path),
  });
}

export function replace(draft: Partial<State>): void {
  useDraft.setState(draft);
  const { before, tree } = useDraft.getState();
  if (same(before, tree)) discard();
  else keep();
}

export function discard(): void {
  useDraft.setState({ ...NOTHING, owner: useDraft.getState().owner });
  keep();
}

export function setFlaws(flaws: readonly Flaw[]): void {
  useDraft.setState({ flaws });
}
