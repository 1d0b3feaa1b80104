import { type EpochMs, epochMs } from "@claude-relay/contract";
import type { Budget } from "../../pipeline/admission.ts";
import { calendarOf } from "../budget-calendar.ts";

/** One counter in Redis: a budget's use within the window of one time. */
export type CounterWindow = Readonly<{
  /** The counter's name. Another window or unit of the same budget is another counter. */
  name: string;
  from: EpochMs;
  /** Exclusive; 0 when it has no end. */
  to: number;
  /** The width of a rolling window's part; 0 for a whole window. */
  bucketMs: number;
}>;

/** The counter of the window that holds `at`. */
export const counterAt = (budget: Budget, at: EpochMs): CounterWindow => {
  const { id, unit, window } = budget;
  const { span, indexOf, startOf } = calendarOf(window);
  const index = indexOf(at);
  switch (window.kind) {
    case "total":
      return { name: `${unit}:total:${id}`, from: epochMs(0), to: 0, bucketMs: 0 };
    case "rolling":
      return {
        name: `${unit}:rolling:${window.hours}:${id}`,
        from: startOf(index - span + 1),
        to: 0,
        bucketMs: startOf(index + 1) - startOf(index),
      };
    case "day":
    case "week":
    case "month":
      return {
        name: `${unit}:${window.kind}:${index}:${id}`,
        from: startOf(index),
        to: startOf(index + 1),
        bucketMs: 0,
      };
  }
};

/** When the window gives something back: its end, or when the oldest part of a rolling one leaves it. */
export const resetsAt = (
  budget: Budget,
  { to, bucketMs }: CounterWindow,
  oldestBucket: number,
): EpochMs | null => {
  if (bucketMs > 0) {
    const { span } = calendarOf(budget.window);
    return oldestBucket < 0 ? null : epochMs((oldestBucket + span) * bucketMs);
  }
  return to === 0 ? null : epochMs(to);
};
