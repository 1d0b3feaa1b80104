import { invalid } from "./api-error.ts";

/** What a report is asked for, with its defaults. */
export type ReportQuery = Readonly<{
  /** Midnights in UTC, epoch milliseconds: the first bucket of this page, and the end of the last one there is. */
  from: number;
  to: number;
  limit: number;
  groupBy: ReadonlySet<string>;
}>;

export const dayMs = 86_400_000;
const known = ["starting_at", "ending_at", "bucket_width", "limit", "page", "group_by[]"];

/**
 * Reads a report's parameters. Filters (`models[]`, `api_key_ids[]` …) and buckets shorter than a day are not
 * simulated, and refused rather than passed over.
 * @param groups what `group_by[]` may name
 * @throws ApiError 400
 */
export const readReportQuery = (
  query: URLSearchParams,
  groups: readonly string[],
  now: number,
): ReportQuery => {
  const strange = [...query.keys()].find((name) => !known.includes(name));
  if (strange !== undefined) {
    throw invalid(`${strange}: not offered by the simulator`);
  }
  if ((query.get("bucket_width") ?? "1d") !== "1d") {
    throw invalid("bucket_width: the simulator offers only 1d");
  }
  const start = instant(query, "starting_at");
  if (start === null) {
    throw invalid("starting_at: Field required");
  }
  const from = snapped(start);
  const to = snapped((instant(query, "ending_at") ?? now) + dayMs - 1);
  if (to <= from) {
    throw invalid("ending_at: must be after starting_at");
  }
  const page = query.get("page");
  return {
    from: page === null ? from : pageStart(page, from, to),
    to,
    limit: limitOf(query.get("limit") ?? "7"),
    groupBy: groupsOf(query.getAll("group_by[]"), groups),
  };
};

const groupsOf = (asked: readonly string[], groups: readonly string[]): ReadonlySet<string> => {
  const wrong = asked.find((name) => !groups.includes(name));
  if (wrong !== undefined) {
    throw invalid(`group_by: Input should be ${groups.join(", ")}`);
  }
  return new Set(asked);
};

const limitOf = (text: string): number => {
  const limit = Number(text);
  if (!Number.isInteger(limit) || limit < 1 || limit > 31) {
    throw invalid("limit: Input should be between 1 and 31");
  }
  return limit;
};

const instant = (query: URLSearchParams, name: string): number | null => {
  const text = query.get(name);
  if (text === null) {
    return null;
  }
  const at = /^\d{4}-\d\d-\d\dT\S+(?:Z|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at)) {
    throw invalid(`${name}: Input should be a valid datetime`);
  }
  return at;
};

const snapped = (at: number): number => at - (at % dayMs);

/** The token of the page that begins with this day, in the form of the documentation's example. */
export const pageToken = (start: number): string =>
  `page_${Buffer.from(rfc3339(start)).toString("base64")}`;

const pageStart = (token: string, from: number, to: number): number => {
  const text = Buffer.from(token.replace(/^page_/, ""), "base64").toString("latin1");
  const start = Date.parse(text);
  if (!token.startsWith("page_") || Number.isNaN(start) || start <= from || start >= to) {
    throw invalid("page: Invalid page token");
  }
  return snapped(start);
};

export const rfc3339 = (at: number): string => `${new Date(at).toISOString().slice(0, 19)}Z`;
