/** A model id that names a scenario: `sim-529`, `claude-sim-429:1`, several joined with `+`. */
export const modelPattern = /^(?:claude-)?sim-(.+)$/;

/**
 * The scenario text a request carries: the header's, then the model's.
 * @param header `x-simulator-scenario`, a comma-separated list
 * @param model the body's model id
 */
export const scenarioTextOf = (header: string | undefined, model: string | null): string => {
  const ofModel = model === null ? null : modelPattern.exec(model)?.[1];
  return [header, ofModel?.replaceAll("+", ",")].filter((text) => text).join(",");
};
