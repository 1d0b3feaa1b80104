/** Whole micro-dollars as dollars: `$0.42`, `$12.00`; what is less than a cent keeps its first digits. */
export const moneyWords = (microUsd: number): string => {
  const usd = microUsd / 1_000_000;
  if (microUsd !== 0 && Math.abs(microUsd) < 10_000) {
    return `$${usd.toFixed(Math.abs(microUsd) < 100 ? 6 : 4)}`;
  }
  return `$${usd.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;
};

/** `1,234`, `56.7k`, `1.2M`. */
export const countWords = (count: number): string => {
  if (count < 10_000) {
    return count.toLocaleString("en-US");
  }
  return count < 1_000_000 ? `${(count / 1000).toFixed(1)}k` : `${(count / 1_000_000).toFixed(1)}M`;
};
