import { expect, test } from "vitest";
import { actionOf, keysOf } from "./keys";

const CHORD = {
  ctrlKey: true,
  shiftKey: true,
  altKey: false,
  metaKey: false,
  repeat: false,
};

test("a shortcut is found by the key's place, whatever letter the layout puts there", () => {
  const russian = new KeyboardEvent("keydown", { ...CHORD, code: "KeyA", key: "Ф" });
  expect(actionOf(russian)).toBe("answer");
});

test("a letter alone, another chord and a key held down are none", () => {
  expect(actionOf({ ...CHORD, ctrlKey: false, code: "KeyA" })).toBeNull();
  expect(actionOf({ ...CHORD, shiftKey: false, code: "KeyA" })).toBeNull();
  expect(actionOf({ ...CHORD, altKey: true, code: "KeyA" })).toBeNull();
  expect(actionOf({ ...CHORD, repeat: true, code: "KeyA" })).toBeNull();
  expect(actionOf({ ...CHORD, code: "KeyQ" })).toBeNull();
});

test("a tooltip names the keys", () => {
  expect(keysOf("answer")).toBe("Ctrl+Shift+A");
});
