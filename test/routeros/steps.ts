/**
 * A computation that may have to wait: it yields the promises it waits for. Nearly none do, and
 * one promise for every expression of a script would make a hash in plain script crawl.
 */
export type Steps<T> = Generator<Promise<unknown>, T, unknown>;

/** Waits for a promise inside a computation. */
export function* wait<T>(promise: Promise<T>): Steps<T> {
  return (yield promise) as T;
}

/** Runs a computation to its end. */
export async function finish<T>(steps: Steps<T>): Promise<T> {
  let turn = steps.next();
  while (turn.done !== true) {
    let settled: unknown;
    try {
      settled = await turn.value;
    } catch (thrown) {
      turn = steps.throw(thrown);
      continue;
    }
    turn = steps.next(settled);
  }
  return turn.value;
}
