/** Sums of money as Anthropic's cost report writes them: cents, as decimal text of any precision. */

/** A million millionth parts of a cent. */
const perCent = 10n ** 12n;
const perMicroUsd = perCent / 10_000n;

/**
 * `"123.78912"` cents exactly, in millionths of a millionth of a cent; further digits are dropped.
 * @returns null for what is no decimal number
 */
export const parseCents = (text: string): bigint | null => {
  const [, sign, whole = "", fraction = ""] = /^(-?)(\d{1,15})(?:\.(\d{1,40}))?$/.exec(text) ?? [];
  if (sign === undefined) {
    return null;
  }
  const size = BigInt(whole) * perCent + BigInt(fraction.slice(0, 12).padEnd(12, "0"));
  return sign === "-" ? -size : size;
};

/** The nearest whole micro-dollars; a half goes away from 0. */
export const microUsdOfCents = (exact: bigint): number => {
  const size = exact < 0n ? -exact : exact;
  const rounded = Number((size + perMicroUsd / 2n) / perMicroUsd);
  return exact < 0n && rounded !== 0 ? -rounded : rounded;
};
