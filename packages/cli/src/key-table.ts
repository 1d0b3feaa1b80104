import type { AppKey } from "@claude-relay/contract";
import { count, list, moment } from "./cells.ts";
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
