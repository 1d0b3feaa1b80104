/** Cells of the tables; a dash stands for the relay's default. */
import { printable } from "./fault.ts";

const none = "-";

/** To the minute, in UTC: `2026-11-21 03:07`. */
export const moment = (time: string | null): string =>
  time === null ? none : printable(time).slice(0, 16).replace("T", " ");

export const count = (value: number | null): string => (value === null ? none : String(value));

export const list = (values: readonly string[] | null): string =>
  values === null ? none : printable(values.join(","));

export const text = (value: string | null): string => (value === null ? none : printable(value));
