import type { AuditEntry } from "../pipeline/ports.ts";
import type { Intent, Outcome, Progress, Usage } from "../pipeline/types.ts";
import { toJson } from "./json-column.ts";

/**
 * The journal's lines: compact JSON arrays, built by hand because this is the hot path.
 * The first element names the kind and its layout; a layout that changes gets a new name, so that a
 * journal left behind by an older version still folds.
 *
 *   ["o1", id, …intent]   ["p1", id, …progress]   ["c1", id, …outcome]   ["v1", id]   ["a1", action, …entry]
 *
 * `v1` takes back an intent whose caller was refused because the line could not be made durable. `a1` is an entry
 * of the audit log that the database would not take.
 */

type Field = string | number | null;
/** A parsed line. Only the last field of `p1` and `c1`, the iterations, may be an array. */
export type JournalLine = readonly [kind: string, id: string, ...fields: unknown[]];

/** Longer than anything a caller may legitimately send here; a bound, so that no caller can bloat the journal. */
const longestText = 512;

/** The layouts, in order; fold.ts reads fields by these positions. */
const layouts = { o1: 17, p1: 14, c1: 23, v1: 2, a1: 8 } as const;
type LineKind = keyof typeof layouts;

export const encodeIntent = (intent: Intent): string =>
  `["o1",${quoted(intent.id)},${whole(intent.startedAt)},"${intent.operation}","${intent.callerKind}",` +
  `${quoted(intent.callerId)},${text(intent.userId)},${text(intent.organizationId)},` +
  `${text(intent.sessionId)},${text(intent.model)},${intent.stream ? 1 : 0},${whole(intent.bodyBytes)},` +
  `${quoted(intent.upstream)},${whole(intent.holdMicroUsd)},${whole(intent.fallback.inputTokens)},` +
  `${whole(intent.fallback.costMicroUsd)},"${intent.fallback.accuracy}"]\n`;

export const encodeProgress = (mark: Progress): string =>
  `["p1",${quoted(mark.id)},${whole(mark.costMicroUsd)},${usageFields(mark.usage)}]\n`;

export const encodeOutcome = (outcome: Outcome): string =>
  `["c1",${quoted(outcome.id)},${whole(outcome.status)},"${outcome.accuracy}","${outcome.ending}",` +
  `${whole(outcome.durationMs)},${outcome.firstByteMs === null ? "null" : whole(outcome.firstByteMs)},` +
  `${text(outcome.responseModel)},${text(outcome.priceFlag)},${text(outcome.errorType)},` +
  `${text(outcome.upstreamRequestId)},${whole(outcome.costMicroUsd)},${usageFields(outcome.usage)}]\n`;

export const encodeVoid = (id: string): string => `["v1",${quoted(id)}]\n`;

/** Its texts are such as every database can hold. */
export const encodeAudit = ({ action, ...entry }: AuditEntry): string =>
  `${JSON.stringify([
    "a1",
    ...[action, entry.at, entry.actor, entry.subject, entry.outcome, toJson(entry.detail)].map(
      storable,
    ),
    storable(entry.clientIp),
  ])}\n`;

/** What `auditValues` are for. */
export const auditColumns = [
  "at",
  "actor",
  "action",
  "subject",
  "outcome",
  "detail",
  "client_ip",
] as const;

/** The values of an `a1` line, in the order of `auditColumns`. */
export const auditValues = ([, action, at, actor, ...rest]: JournalLine): unknown[] => [
  at,
  actor,
  action,
  ...rest,
];

/** Reads one line without its newline. Gives null for anything that is not a whole line of ours. */
export const parseLine = (line: string): JournalLine | null => {
  try {
    const parsed: unknown = JSON.parse(line);
    return isJournalLine(parsed) ? parsed : null;
  } catch {
    return null;
  }
};

const isJournalLine = (value: unknown): value is JournalLine => {
  if (!Array.isArray(value) || typeof value[0] !== "string" || typeof value[1] !== "string") {
    return false;
  }
  const kind = value[0];
  if (!Object.hasOwn(layouts, kind) || value.length !== layouts[kind as LineKind]) {
    return false;
  }
  const scalars = kind === "p1" || kind === "c1" ? value.length - 1 : value.length;
  for (let index = 2; index < scalars; index++) {
    if (!isField(value[index])) {
      return false;
    }
  }
  return scalars === value.length || value[scalars] === null || Array.isArray(value[scalars]);
};

const isField = (value: unknown): value is Field =>
  typeof value === "number" || typeof value === "string" || value === null;

const usageFields = (usage: Usage): string =>
  `${whole(usage.inputTokens)},${whole(usage.outputTokens)},${whole(usage.cacheReadInputTokens)},` +
  `${whole(usage.cacheCreation5mInputTokens)},${whole(usage.cacheCreation1hInputTokens)},` +
  `${whole(usage.webSearchRequests)},${whole(usage.webFetchRequests)},` +
  `${text(usage.serviceTier)},${text(usage.speed)},${text(usage.inferenceGeo)},` +
  (usage.iterations.length === 0 ? "null" : JSON.stringify(usage.iterations));

/** A NaN or a fraction would make the line unreadable and lose the row: better a wrong figure in one column. */
const whole = (value: number): number =>
  Number.isSafeInteger(value) ? value : Number.isFinite(value) ? Math.round(value) : 0;

/** Postgres holds no NUL and no half of a surrogate pair. */
const storable = (value: string | number | null): Field =>
  typeof value === "string" ? value.toWellFormed().replaceAll("\0", "\uFFFD") : value;

const text = (value: string | null): string => (value === null ? "null" : quoted(value));

const quoted = (value: string): string =>
  JSON.stringify(value.length <= longestText ? value : value.slice(0, longestText));
