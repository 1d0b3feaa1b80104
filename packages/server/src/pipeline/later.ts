/** Runs something once, so many milliseconds later. Gives what calls it off. */
export type Later = (ms: number, run: () => void) => () => void;

/** The real one; tests hand over their own. */
export const later: Later = (ms, run) => {
  const timer = setTimeout(run, ms);
  return () => clearTimeout(timer);
};
