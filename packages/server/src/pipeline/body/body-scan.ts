import { isUtf8 } from "node:buffer";
import type { ModelId } from "@claude-relay/contract";
import { type JsonBytes, JsonFault, jsonBytes, maxDepth, openBrace } from "../json/json-bytes.ts";
import { skipSpace } from "../json/json-scan.ts";
import { KeyFault, walkObject } from "../json/json-scan-object.ts";
import { Refusal } from "../refusal.ts";
import type { BodyFacts } from "../types.ts";
import { bodyLevel } from "./body-scan-levels.ts";
import { type Reading, startReading } from "./body-scan-reading.ts";

/**
 * Checks that a Messages body is JSON which every reader reads alike, and reads its deciding fields.
 * The bytes are never parsed into values: one pass, no copy, linear time.
 *
 * Beyond RFC 8259 it refuses what upstream could read otherwise than we do: invalid UTF-8, a byte order
 * mark, a deciding key that is repeated or spelt in another case, and nesting deeper than 128.
 * Unknown fields pass. A lone surrogate escape passes, except in a deciding key or value.
 *
 * @param operation `count_tokens` needs no `max_tokens`
 * @throws Refusal `invalid_request`, naming the field and the remedy
 */
export const scanBody = (body: Buffer, operation: "messages" | "count_tokens"): BodyFacts => {
  checkEncoding(body);
  const json = jsonBytes(body);
  const reading = startReading();
  try {
    readDocument(json, reading);
  } catch (error) {
    throw asRefusal(error, reading);
  }
  return factsOf(reading, operation);
};

const checkEncoding = (body: Buffer): void => {
  if (body.length === 0) {
    throw invalid("the request body is empty: send a JSON object");
  }
  if (body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf) {
    throw invalid("the request body starts with a byte order mark: send UTF-8 without one");
  }
  if (!isUtf8(body)) {
    throw invalid("the request body is not valid UTF-8: send UTF-8 JSON");
  }
};

const readDocument = (json: JsonBytes, reading: Reading): void => {
  const start = skipSpace(json, 0);
  if (start >= json.end) {
    throw new JsonFault("it ends too early", start);
  }
  if (json.bytes[start] !== openBrace) {
    throw invalid("the request body must be a JSON object");
  }
  const end = skipSpace(json, walkObject(json, start, bodyLevel, reading));
  if (end < json.end) {
    throw new JsonFault("something follows the object", end);
  }
};

const factsOf = (reading: Reading, operation: "messages" | "count_tokens"): BodyFacts => {
  const { model, maxTokens } = reading;
  if (model === null) {
    throw invalid("model: a model id is required, e.g. claude-sonnet-5-5");
  }
  if (maxTokens === null && operation === "messages") {
    throw invalid("max_tokens: required, a whole number of at least 1");
  }
  return {
    model: model as ModelId,
    maxTokens,
    stream: reading.stream,
    models: [{ field: "model", model: model as ModelId }, ...reading.others],
    serverToolUses: reading.serverToolUses,
    speed: reading.speed,
    serviceTier: reading.serviceTier,
    inferenceGeo: reading.inferenceGeo,
    ...(reading.promptElsewhere ? { promptElsewhere: true } : null),
  };
};

const invalid = (message: string): Refusal => new Refusal("invalid_request", message);

const asRefusal = (error: unknown, reading: Reading): unknown => {
  if (error instanceof JsonFault) {
    const remedy = error.message.includes("deeper")
      ? `nest at most ${maxDepth}`
      : "send valid JSON";
    return invalid(
      `the request body is not usable JSON: ${error.message} (byte ${error.offset}): ${remedy}`,
    );
  }
  if (error instanceof KeyFault) {
    const field = reading.path === "" ? error.key : `${reading.path}.${error.key}`;
    return invalid(
      error.kind === "repeated"
        ? `${field}: given more than once: send it once`
        : `${field}: written in another case: spell it exactly "${error.key}"`,
    );
  }
  return error;
};
