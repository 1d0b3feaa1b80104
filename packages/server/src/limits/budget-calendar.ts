import { type EpochMs, epochMs } from "@claude-relay/contract";
import type { BudgetWindow } from "../pipeline/admission.ts";

/**
 * Time cut into numbered slots that follow each other without gaps, in UTC. A budget's window is the slot of
 * now; a rolling one is that and the 120 before it, so that nothing leaves before all of it is old enough.
 */
export type Calendar = Readonly<{
  /** How many slots make one window. */
  span: number;
  indexOf(at: EpochMs): number;
  startOf(index: number): EpochMs;
}>;

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const partsOfRolling = 120;
/** 1970-01-01 was a Thursday: weeks are counted from the Monday before it. */
const mondayMs = -3 * dayMs;

/** The slots of one kind of window. */
export const calendarOf = (window: BudgetWindow): Calendar => {
  switch (window.kind) {
    case "total":
      return allTime;
    case "day":
      return days;
    case "week":
      return weeks;
    case "month":
      return months;
    case "rolling":
      return even((window.hours * hourMs) / partsOfRolling, 0, partsOfRolling + 1);
  }
};

const even = (widthMs: number, origin: number, span: number): Calendar => ({
  span,
  indexOf: (at) => Math.floor((at - origin) / widthMs),
  startOf: (index) => epochMs(index * widthMs + origin),
});

const allTime: Calendar = {
  span: 1,
  indexOf: () => 0,
  startOf: (index) => epochMs(index === 0 ? 0 : Infinity),
};

const days = even(dayMs, 0, 1);
const weeks = even(7 * dayMs, mondayMs, 1);

const months: Calendar = {
  span: 1,
  indexOf: (at) => {
    const date = new Date(at);
    return date.getUTCFullYear() * 12 + date.getUTCMonth();
  },
  startOf: (index) => epochMs(Date.UTC(Math.floor(index / 12), index % 12)),
};
