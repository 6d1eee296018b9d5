import { expect, test } from "vitest";
import { columnOf, fullOf, gainsOf, nextSpeech } from "./peaks";

const quiet = (count: number) => Array<number>(count).fill(3);
const loud = (count: number) => Array<number>(count).fill(120);

test("from a silence one comes to the speech after it", () => {
  const peaks = { agent: [...quiet(10), ...loud(10)], client: quiet(20) };
  expect(nextSpeech(peaks, 0)).toBe(0.5);
  expect(nextSpeech(peaks, 0.2)).toBe(0.5);
});

test("from speech one comes to the next, over a pause and not over a breath", () => {
  const client = [...loud(4), ...quiet(2), ...loud(4), ...quiet(5), ...loud(5)];
  expect(nextSpeech({ agent: quiet(20), client }, 0)).toBe(15 / 20);
});

test("with nothing more to hear one stays", () => {
  expect(nextSpeech({ agent: loud(20), client: quiet(20) }, 0.5)).toBeNull();
  expect(nextSpeech({ agent: [], client: [] }, 0)).toBeNull();
});

test("a column is as loud as the loudest of its parts, and of more columns than parts none is lost", () => {
  expect(columnOf([0, 255, 0, 51], 0, 2)).toBe(1);
  expect(columnOf([0, 255, 0, 51], 1, 2)).toBe(0.2);
  expect([0, 1, 2, 3].map((column) => columnOf([255, 51], column, 4))).toEqual([1, 1, 0.2, 0.2]);
  expect(columnOf([], 0, 10)).toBe(0);
});

test("at either end of the balance one side alone is heard, in the middle both", () => {
  expect(gainsOf(0)).toEqual({ agent: 1, client: 1 });
  expect(gainsOf(-1)).toEqual({ agent: 1, client: 0 });
  expect(gainsOf(1)).toEqual({ agent: 0, client: 1 });
});

test("a quiet talk fills the drawing, a silent line does not", () => {
  expect(fullOf({ agent: loud(3), client: quiet(3) })).toBe(120 / 255);
  expect(fullOf({ agent: quiet(3), client: [] })).toBeGreaterThan(3 / 255);
});
