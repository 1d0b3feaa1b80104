import { setTimeout as wait } from "node:timers/promises";

const patienceMs = 30_000;
const pauseMs = 50;

/** Asks until the answer is neither undefined nor false. @throws with `what` when it never is */
export const until = async <Answer>(
  what: string,
  ask: () => Answer | undefined | false | Promise<Answer | undefined | false>,
): Promise<Answer> => {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) {
      return answer;
    }
    if (performance.now() > deadline) {
      throw new Error(`it never came about: ${what}`);
    }
    await wait(pauseMs);
  }
};
