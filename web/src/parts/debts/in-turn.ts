/** Many requests, a few at a time, each with its own end. */

export interface Ends {
  done: number;
  failures: unknown[];
}

export async function inTurn<Item>(
  items: readonly Item[],
  act: (item: Item) => Promise<unknown>,
  atOnce = 4,
): Promise<Ends> {
  const waiting = [...items];
  const ends: Ends = { done: 0, failures: [] };
  async function work(): Promise<void> {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) {
      try {
        await act(item);
        ends.done += 1;
      } catch (failure) {
        ends.failures.push(failure);
      }
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work));
  return ends;
}
