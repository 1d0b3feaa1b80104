import { InvalidArgumentError } from "commander";

const hoursIn = { m: 1 / 60, h: 1, d: 24 } as const;
/** As the admin API has it. */
const mostHours = 24 * 365;

/** An argument parser for a time such as `30m`, `24h` or `7d`; gives hours, at most a year. */
export const hours = (text: string): number => {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)([mhd])$/.exec(text) ?? [];
  const value = Number(amount) * (hoursIn[unit as keyof typeof hoursIn] ?? Number.NaN);
  if (!(value > 0 && value <= mostHours)) {
    throw new InvalidArgumentError("It must be a time such as 30m, 24h or 7d, at most 365d.");
  }
  return value;
};
