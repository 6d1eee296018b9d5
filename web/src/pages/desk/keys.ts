/** Shortcuts go by the key's place, so they are the same in a Russian layout. */
import { useEffect, useRef } from "react";

export const SHORTCUTS = {
  answer: "KeyA",
  end: "KeyX",
  mute: "KeyM",
  hold: "KeyH",
  transfer: "KeyY",
  dial: "KeyD",
  ready: "KeyL",
} as const;

export type Action = keyof typeof SHORTCUTS;
export type Actions = Partial<Record<Action, () => void>>;

type Pressed = Pick<
  KeyboardEvent,
  "code" | "ctrlKey" | "shiftKey" | "altKey" | "metaKey" | "repeat"
>;

/** `Ctrl+Shift+A`, as tooltips show it. */
export function keysOf(action: Action): string {
  return `Ctrl+Shift+${SHORTCUTS[action].slice(-1)}`;
}

export function actionOf(pressed: Pressed): Action | null {
  if (!pressed.ctrlKey || !pressed.shiftKey || pressed.altKey || pressed.metaKey) return null;
  if (pressed.repeat) return null;
  const found = Object.entries(SHORTCUTS).find(([, code]) => code === pressed.code);
  return found === undefined ? null : (found[0] as Action);
}

const SHIFTED: Readonly<Record<string, string>> = { Digit3: "#", Digit8: "*" };

/** Which key of a telephone is typed: by its place too, for where `#` is, Russians have `№`. */
export function toneOf({
  code,
  ctrlKey,
  altKey,
  metaKey,
  shiftKey,
}: Omit<Pressed, "repeat">): string | null {
  if (ctrlKey || altKey || metaKey) return null;
  if (code === "NumpadMultiply") return "*";
  if (shiftKey) return SHIFTED[code] ?? null;
  return /^(?:Digit|Numpad)(\d)$/.exec(code)?.[1] ?? null;
}

/** What may be done now; a key whose action may not be done is left to the browser. */
export function useShortcuts(actions: Actions): void {
  const newest = useRef(actions);
  newest.current = actions;
  useEffect(() => {
    const hear = (event: KeyboardEvent) => {
      const action = actionOf(event);
      const act = action === null ? undefined : newest.current[action];
      if (act === undefined) return;
      event.preventDefault();
      act();
    };
    window.addEventListener("keydown", hear);
    return () => window.removeEventListener("keydown", hear);
  }, []);
}
