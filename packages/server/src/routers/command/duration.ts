/** Seconds of a time that is written out as `5`, `0.5`, `500ms`, `5s` or `1m`; null for any other way to write one. */
export const secondsIn = (text: string | null): number | null => {
  const [, digits, unit = "s"] = written.exec(text ?? "") ?? [];
  const seconds = units.get(unit);
  return digits === undefined || seconds === undefined ? null : Number(digits) * seconds;
};

const written = /^([0-9]{1,6}(?:\.[0-9]{1,3})?)(ms|s|m)?$/;
const units: ReadonlyMap<string, number> = new Map([
  ["ms", 0.001],
  ["s", 1],
  ["m", 60],
]);
