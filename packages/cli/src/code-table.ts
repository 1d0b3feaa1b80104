import type { EnrollmentCode } from "@claude-relay/contract";
import { count, list, moment, text } from "./cells.ts";
import { printable } from "./fault.ts";
import { table } from "./table.ts";

const headings = [
  "CODE ID",
  "LABEL",
  "STATUS",
  "USES LEFT",
  "EXPIRES",
  "CREATED",
  "A MINUTE",
  "MODELS",
  "USER",
  "ORGANIZATION",
];

/**
 * The codes as lines of a table, without the codes themselves, which are not kept. Times are UTC.
 * @param now epoch milliseconds
 */
export const codeTable = (codes: readonly EnrollmentCode[], now: number): string[] =>
  table(
    headings,
    codes.map((code) => [
      printable(code.id),
      text(code.label),
      statusOf(code, now),
      `${code.uses_left} of ${code.max_uses}`,
      moment(code.expires_at),
      moment(code.created_at),
      count(code.requests_per_minute),
      list(code.models),
      text(code.user_id),
      text(code.organization_id),
    ]),
  );

const statusOf = (code: EnrollmentCode, now: number): string => {
  if (code.revoked_at !== null) {
    return "revoked";
  }
  if (code.uses_left <= 0) {
    return "used up";
  }
  return Date.parse(code.expires_at) <= now ? "expired" : "good";
};
