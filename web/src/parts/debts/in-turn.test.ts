import { expect, test } from "vitest";
import { inTurn } from "./in-turn";

test("each item is acted on once, no more at a time than said, and failures stop nobody", async () => {
  let [busy, most] = [0, 0];
  const seen: number[] = [];
  const ends = await inTurn(
    [1, 2, 3, 4, 5, 6, 7],
    async (item) => {
      busy += 1;
      most = Math.max(most, busy);
      await Promise.resolve();
      busy -= 1;
      seen.push(item);
      if (item === 3) throw new Error("no");
    },
    2,
  );
  expect(seen.sort()).toEqual([1, 2, 3, 4, 5, 6, 7]);
  expect(most).toBe(2);
  expect(ends.done).toBe(6);
  expect(ends.failures).toEqual([new Error("no")]);
});
