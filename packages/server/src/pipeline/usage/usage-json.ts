import type { ModelId } from "@claude-relay/contract";
import { closeBrace, jsonBytes, openBrace } from "../json/json-bytes.ts";
import { skipSpace, skipValue } from "../json/json-scan.ts";
import { level, type MemberReader, walkObject } from "../json/json-scan-object.ts";
import { latin1 } from "../latin1.ts";
import {
  emptyDraft,
  errorTypeOf,
  estimateOutputTokens,
  isCount,
  isJsonObject,
  mergeUsage,
  nameOr,
  type UsageMeter,
  type UsageReport,
  usageOf,
} from "./usage.ts";

/** The longest answer that is kept to be read; 128,000 output tokens have about half a megabyte. */
const maxBodyBytes = 16 * 1024 * 1024;

/**
 * Meters an answer in one piece. The body is kept until its end, then its top-level `type`, `model`, `usage`
 * and `error` are read; content is only skipped, so nothing in it can pass for them. A fresh meter per response.
 * https://docs.anthropic.com/en/api/messages
 */
export const createJsonMeter = (): UsageMeter => new JsonMeter();

class JsonMeter implements UsageMeter {
  #chunks: Buffer[] = [];
  #size = 0;
  #read: { size: number; report: UsageReport } | null = null;

  /** JSON has no place for an event. */
  readonly atEventBoundary = false;

  push(chunk: Buffer): void {
    this.#size += chunk.length;
    if (this.#size > maxBodyBytes) {
      this.#chunks = [];
    } else {
      this.#chunks.push(chunk);
    }
  }

  report(): UsageReport {
    if (this.#read?.size === this.#size) {
      return this.#read.report;
    }
    const fields = this.#isWhole() ? readFields(joined(this.#chunks)) : null;
    const report = fields === null ? unfinished(this.#size) : reportOf(fields, this.#size);
    this.#read = { size: this.#size, report };
    return report;
  }

  /** Spares a scan of every half body when a long answer's progress is asked for. */
  #isWhole(): boolean {
    const last = this.#chunks.at(-1);
    if (last === undefined || this.#size > maxBodyBytes) {
      return this.#size === 0;
    }
    let at = last.length - 1;
    while (at >= 0 && (last[at] as number) <= space) {
      at--;
    }
    return at < 0 || last[at] === closeBrace;
  }
}

const space = 0x20;

const joined = (chunks: readonly Buffer[]): Buffer => {
  const [only, second] = chunks;
  return only !== undefined && second === undefined ? only : Buffer.concat(chunks);
};

type Fields = { type: unknown; model: unknown; usage: unknown; error: unknown };

const keep =
  (key: keyof Fields): MemberReader<Fields> =>
  (json, at, fields) => {
    const end = skipValue(json, at, 1);
    fields[key] = JSON.parse(json.bytes.toString("utf8", at, end));
    return end;
  };

const answerLevel = level<Fields>(1, {
  type: keep("type"),
  model: keep("model"),
  usage: keep("usage"),
  error: keep("error"),
});

/** The deciding fields of a whole body, or null when it is no JSON object or not all there. */
const readFields = (body: Buffer): Fields | null =>
  (body.length <= smallBody ? parseFields(body) : null) ?? scanFields(body);

/** Up to here, and written as upstream writes them, answers cost less parsed than scanned. */
const smallBody = 8 * 1024;

/** What upstream's answers and errors have at their top. */
const knownKeys = new Set([
  ...["id", "type", "role", "model", "content", "stop_reason", "stop_sequence", "stop_details"],
  ...["usage", "container", "context_management", "error", "request_id", "input_tokens"],
]);

/**
 * As `scanFields`, of bodies that can be read in one way only, which is proven: written out again they are the
 * same, so no key comes twice, and no key at the top is another one misspelt. Null for all others. Read as
 * latin1: names that are kept are ASCII.
 */
const parseFields = (body: Buffer): Fields | null => {
  try {
    const text = latin1(body);
    const answer: unknown = JSON.parse(text);
    if (!isJsonObject(answer) || JSON.stringify(answer) !== text) {
      return null;
    }
    for (const key in answer) {
      if (!knownKeys.has(key)) {
        return null;
      }
    }
    const { type = null, model = null, usage = null, error = null } = answer;
    return { type, model, usage, error };
  } catch {
    return null;
  }
};

const scanFields = (body: Buffer): Fields | null => {
  const json = jsonBytes(body);
  const fields: Fields = { type: null, model: null, usage: null, error: null };
  try {
    const start = skipSpace(json, 0);
    if (body[start] !== openBrace) {
      return null;
    }
    const end = walkObject(json, start, answerLevel, fields);
    return skipSpace(json, end) === body.length ? fields : null;
  } catch {
    return null;
  }
};

const unfinished = (size: number): UsageReport => {
  const estimated = estimateOutputTokens(size);
  return {
    usage: usageOf(emptyDraft(), estimated),
    responseModel: null,
    complete: false,
    started: size > 0,
    errorType: null,
    estimatedOutputTokens: estimated,
  };
};

const reportOf = (fields: Fields, size: number): UsageReport => {
  const isError = fields.type === "error" || isJsonObject(fields.error);
  const isCounted =
    !isError && isJsonObject(fields.usage) && isCount(fields.usage["output_tokens"]);
  const isMessage = fields.type === "message" || isCounted;
  const estimated = isMessage && !isCounted ? estimateOutputTokens(size) : 0;
  const draft = emptyDraft();
  if (!isError) {
    mergeUsage(draft, fields.usage);
  }
  return {
    usage: usageOf(draft, estimated),
    responseModel: isError ? null : nameOr<ModelId>(null, fields.model),
    complete: isCounted,
    started: isMessage && !isError,
    errorType: isError ? errorTypeOf({ error: fields.error }) : null,
    estimatedOutputTokens: estimated,
  };
};
