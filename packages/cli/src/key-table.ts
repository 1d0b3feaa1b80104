import type { AppKey } from "@claude-relay/contract";
import { printable } from "./fault.ts";
import { table } from "./table.ts";

const headings = [
  "LABEL",
  "STATUS",
  "CREATED",
  "LAST USED",
  "EXPIRES",
  "A MINUTE",
  "A DAY",
  "AT ONCE",
  "DOORS",
  "MODELS",
];

/** The keys as lines of a table; a dash stands for the relay's default. Times are UTC. */
export const keyTable = (keys: readonly AppKey[]): string[] =>
  table(
    headings,
    keys.map((key) => [
      printable(key.label),
      printable(key.status),
      moment(key.created_at),
      moment(key.last_used_at),
      moment(key.expires_at),
      count(key.requests_per_minute),
      count(key.requests_per_day),
      count(key.concurrency),
      list(key.doors),
      list(key.models),
    ]),
  );

const none = "-";
/** To the minute: `2026-11-21 03:07`. */
const moment = (time: string | null): string =>
  time === null ? none : printable(time).slice(0, 16).replace("T", " ");
const count = (value: number | null): string => (value === null ? none : String(value));
const list = (values: readonly string[] | null): string =>
  values === null ? none : printable(values.join(","));
