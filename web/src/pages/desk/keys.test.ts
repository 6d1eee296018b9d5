import { expect, test } from "vitest";
import { actionOf, keysOf, toneOf } from "./keys";

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

test("keys of a telephone are typed in any layout and on the number pad", () => {
  const typed = { ...CHORD, ctrlKey: false, shiftKey: false };
  expect(toneOf({ ...typed, code: "Digit5" })).toBe("5");
  expect(toneOf({ ...typed, code: "Numpad0" })).toBe("0");
  expect(toneOf({ ...typed, code: "NumpadMultiply" })).toBe("*");
  const russian = { code: "Digit3", key: "№", shiftKey: true };
  expect(toneOf(new KeyboardEvent("keydown", russian))).toBe("#");
  expect(toneOf({ ...typed, code: "Digit8", shiftKey: true })).toBe("*");
  expect(toneOf({ ...typed, code: "Digit1", shiftKey: true })).toBeNull();
  expect(toneOf({ ...typed, code: "Digit1", ctrlKey: true })).toBeNull();
  expect(toneOf({ ...typed, code: "Enter" })).toBeNull();
});
