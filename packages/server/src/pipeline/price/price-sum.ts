import { type MicroUsd, microUsd } from "@claude-relay/contract";

/** A factor as a fraction in lowest terms, so that sums stay small enough to be exact. */
export type Fraction = Readonly<{ over: number; under: number }>;

export const one: Fraction = { over: 1, under: 1 };

/** `percentOf(110)` is 11/10. */
export const percentOf = (percent: number): Fraction => {
  const divisor = greatestCommonDivisor(percent, 100);
  return { over: percent / divisor, under: 100 / divisor };
};

const greatestCommonDivisor = (a: number, b: number): number =>
  b === 0 ? a : greatestCommonDivisor(b, a % b);

export const times = (a: Fraction, b: Fraction): Fraction => ({
  over: a.over * b.over,
  under: a.under * b.under,
});

/** A sum of tokens × rate, in micro-dollars per million, to be rounded once. */
export type PriceSum = { exact: number | bigint };

/** Adds tokens × rate. Past 2^53 it goes on in BigInt; no real request gets there. */
export const addTokens = (sum: PriceSum, tokens: number, rate: number): void => {
  const { exact } = sum;
  if (typeof exact === "number") {
    const next = exact + tokens * rate;
    sum.exact = Number.isSafeInteger(next) ? next : BigInt(exact) + BigInt(tokens) * BigInt(rate);
  } else {
    sum.exact = exact + BigInt(tokens) * BigInt(rate);
  }
};

const perMillion = 1_000_000;

/** Rounds a sum times a factor up to whole micro-dollars, and adds `fixed` ones. Saturates, never overflows. */
export const totalOf = (sum: PriceSum, factor: Fraction, fixed: number): MicroUsd => {
  const tokens = ceilOf(sum.exact, factor);
  return microUsd(Math.min(tokens + Math.min(fixed, 1e15), Number.MAX_SAFE_INTEGER - 1));
};

const ceilOf = (exact: number | bigint, { over, under }: Fraction): number => {
  const divisor = perMillion * under;
  const scaled = typeof exact === "number" ? exact * over : Number.POSITIVE_INFINITY;
  if (Number.isSafeInteger(scaled)) {
    const rest = scaled % divisor;
    return (scaled - rest) / divisor + (rest > 0 ? 1 : 0);
  }
  const big = BigInt(exact) * BigInt(over);
  const quotient = (big + BigInt(divisor) - 1n) / BigInt(divisor);
  return quotient > 4_000_000_000_000_000n ? 4_000_000_000_000_000 : Number(quotient);
};
