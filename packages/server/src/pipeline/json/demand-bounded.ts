import { Refusal } from "../refusal.ts";
import {
  closeBrace,
  type JsonBytes,
  JsonFault,
  jsonBytes,
  maxDepth,
  openBrace,
  quote,
  unexpected,
} from "./json-bytes.ts";
import { skipColon, skipSpace, skipString, skipValue } from "./json-scan.ts";
import { firstOf, nextOf } from "./json-scan-list.ts";

/** No body of our own routes has half as many fields at its top. */
const maxFields = 64;

/** A schema goes upstream inside two objects more than it came in, and nesting is bounded there too. */
const addedDepth = 2;

/**
 * Checks a body before it is parsed: that costs little time and no memory, where parsing and judging what was
 * built for it could stall every other request.
 * @param maxNestedBytes of any one object or array in it, as it is written
 * @throws JsonFault when it is not JSON. Refusal `invalid_request` for one nested too deep or with too many
 *   fields, `too_large` for too large a field
 */
export const demandBounded = (bytes: Buffer, maxNestedBytes: number): void => {
  const json = jsonBytes(bytes);
  const start = skipSpace(json, 0);
  const end =
    bytes[start] === openBrace
      ? skipFields(json, start, maxNestedBytes)
      : skipField(json, start, "body", maxNestedBytes);
  if (skipSpace(json, end) < json.end) {
    throw unexpected(json, end);
  }
};

const isTooDeep = (error: unknown): boolean =>
  error instanceof JsonFault && error.message.includes("deeper");

/** Whether a text is JSON up to a bracket that is one too many. */
export const nestsTooDeep = (text: string): boolean => {
  const json = jsonBytes(Buffer.from(text));
  try {
    skipValue(json, skipSpace(json, 0), 0);
    return false;
  } catch (error) {
    return isTooDeep(error);
  }
};

const skipFields = (json: JsonBytes, at: number, maxBytes: number): number => {
  let count = 0;
  let i = firstOf(json, at, closeBrace);
  while (i >= 0) {
    if (json.bytes[i] !== quote) {
      throw unexpected(json, i);
    }
    if (++count > maxFields) {
      throw new Refusal("invalid_request", `body: has more than ${maxFields} fields.`);
    }
    const afterKey = skipString(json, i + 1);
    const name = json.bytes.toString("utf8", i + 1, Math.min(afterKey - 1, i + longestName));
    i = skipField(json, skipColon(json, afterKey), name, maxBytes);
    i = nextOf(json, i, closeBrace);
  }
  return -1 - i;
};

/** Bytes of a name that are shown, as it is written. */
const longestName = 64;

const skipField = (json: JsonBytes, at: number, name: string, maxBytes: number): number => {
  const end = skipNested(json, at, name);
  if (json.bytes[at] !== quote && end - at > maxBytes) {
    throw new Refusal(
      "too_large",
      `${name}: has ${end - at} bytes; at most ${maxBytes} are taken.`,
    );
  }
  return end;
};

const skipNested = (json: JsonBytes, at: number, name: string): number => {
  try {
    return skipValue(json, at, 1 + addedDepth);
  } catch (error) {
    const levels = maxDepth - 1 - addedDepth;
    throw isTooDeep(error)
      ? new Refusal(
          "invalid_request",
          `${name}: nests too deep: at most ${levels} levels are taken.`,
        )
      : error;
  }
};
