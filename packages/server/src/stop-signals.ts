export type StopSignal = "SIGTERM" | "SIGINT" | "npm was stopped";

export type StopMeaning = "drain" | "force" | "ignore";

/** What the primary of a cluster tells its workers. */
export type StopOrder = Readonly<{ stop: "drain" | "force" }>;

/** What a worker tells its primary once it hears such orders. */
export const hearsOrders = "hears orders";

/** A message as such an order; null when it is another's. */
export const stopOrderOf = (message: unknown): StopOrder["stop"] | null => {
  const stop = typeof message === "object" && message !== null && "stop" in message && message.stop;
  return stop === "drain" || stop === "force" ? stop : null;
};

/**
 * One Ctrl-C reaches the server more than once: the terminal signals the whole group, and `node --watch` passes
 * its own on, measured 4 ms later. Nobody presses twice within this time.
 */
const oneKeypressMs = 300;

/**
 * Tells what each signal means. The first drains and a later one forces; a SIGINT close behind a SIGINT is the
 * same keypress, and a parent that went away is no second wish to stop.
 * @param monotonicMs the time that passes, in milliseconds
 */
export const startSignalReader = (monotonicMs: () => number) => {
  let draining = false;
  let lastInterruptMs = Number.NEGATIVE_INFINITY;
  return (signal: StopSignal): StopMeaning => {
    const nowMs = monotonicMs();
    const sameKeypress = signal === "SIGINT" && nowMs - lastInterruptMs < oneKeypressMs;
    if (signal === "SIGINT" && !sameKeypress) {
      lastInterruptMs = nowMs;
    }
    if (!draining) {
      draining = true;
      return "drain";
    }
    return sameKeypress || signal === "npm was stopped" ? "ignore" : "force";
  };
};
