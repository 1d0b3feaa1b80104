import type { Store } from "../store.ts";
import { requestId, sampleIntent, sampleOutcome } from "./samples.ts";

/** Requests one group after another, as fast as the journal takes them, until told to stop. */
export const startLoad = (store: Store, first = 0) => {
  const ids: string[] = [];
  let stopping = false;
  const run = async (): Promise<void> => {
    for (let next = first; !stopping; next += 8) {
      const numbers = Array.from({ length: 8 }, (_, index) => next + index);
      await Promise.all(numbers.map((number) => store.ledger.open(sampleIntent(number))));
      for (const number of numbers) {
        store.ledger.close(sampleOutcome(number));
        ids.push(requestId(number));
      }
      // So that the worker and the test's own events get their turn.
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  };
  const running = run();
  return {
    /** How many have ended so far. */
    get count(): number {
      return ids.length;
    },
    /** Stops, and gives the ids of all that ended. @throws what the ledger refused with */
    stop: async (): Promise<readonly string[]> => {
      stopping = true;
      await running;
      return ids;
    },
  };
};
