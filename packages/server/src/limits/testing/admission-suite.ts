import { describe } from "node:test";
import { budgetSuite } from "./admission-budget-suite.ts";
import { clockSuite } from "./admission-clock-suite.ts";
import { daySuite } from "./admission-day-suite.ts";
import { fillSuite } from "./admission-fill-suite.ts";
import type { Open } from "./admission-harness.ts";
import { holdSuite } from "./admission-hold-suite.ts";
import { limitSuite } from "./admission-limit-suite.ts";
import { modelSuite } from "./admission-model-suite.ts";
import { runningSuite } from "./admission-running-suite.ts";
import { tokenSuite } from "./admission-token-suite.ts";
import { windowSuite } from "./admission-window-suite.ts";

/**
 * What every implementation of the port Admission must do, in memory and in Redis alike. Times are whole
 * milliseconds, rounded up to when the thing is surely so.
 * @param name What is tested, e.g. `in memory`.
 * @param open Opens a fresh, empty one for one test.
 * @param options `runs`: how many random histories the properties try.
 */
export const admissionSuite = (
  name: string,
  open: Open,
  options: Readonly<{ runs: number }>,
): void => {
  describe(`admission ${name}`, () => {
    limitSuite(open);
    daySuite(open);
    tokenSuite(open);
    budgetSuite(open);
    fillSuite(open);
    windowSuite(open);
    clockSuite(open);
    holdSuite(open);
    runningSuite(open, options.runs);
    modelSuite(open, options.runs);
  });
};
