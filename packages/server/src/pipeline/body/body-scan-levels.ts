import { type JsonBytes, openBrace, openBracket, quote } from "../json/json-bytes.ts";
import { skipValue } from "../json/json-scan.ts";
import { walkArray } from "../json/json-scan-list.ts";
import { level, walkObject } from "../json/json-scan-object.ts";
import { Refusal } from "../refusal.ts";
import {
  readAddedTool,
  readFallback,
  readFallbackName,
  readThread,
  readTool,
} from "./body-scan-entries.ts";
import { addUses, countMember, type Reading, textMember } from "./body-scan-reading.ts";
import { type Found, isLiteral, readFlag } from "./body-scan-values.ts";

const readNull = (json: JsonBytes, at: number, field: string, expected = "an array"): number => {
  const end = skipValue(json, at, 1);
  if (!isLiteral(json, at, end, "null")) {
    throw new Refusal("invalid_request", `${field}: must be ${expected} or null`);
  }
  return end;
};

/** A `tool_addition` block defines a tool in the middle of a conversation: another door for a model. */
const toolChangeLevel = level<Reading>(6, {
  definition: (json, at, reading) =>
    json.bytes[at] === openBrace ? readAddedTool(json, at, reading) : skipValue(json, at, 6),
});

const blockLevel = level<Reading>(5, {
  tool: (json, at, reading) => {
    if (json.bytes[at] !== openBrace) {
      return skipValue(json, at, 5);
    }
    reading.path = `messages[${reading.message}].content[${reading.block}].tool`;
    const end = walkObject(json, at, toolChangeLevel, reading);
    reading.path = "";
    return end;
  },
});

const messageLevel = level<Reading>(3, {
  content: (json, at, reading) =>
    json.bytes[at] !== openBracket
      ? skipValue(json, at, 3)
      : walkArray(json, at, (i, index) => {
          reading.block = index;
          return json.bytes[i] === openBrace
            ? walkObject(json, i, blockLevel, reading)
            : skipValue(json, i, 4);
        }),
});

const flag: Found<boolean> = { value: false };

/** The whole body. Its lists are at depth 2, the objects in them at depth 3. */
export const bodyLevel = level<Reading>(1, {
  model: textMember("model", (reading, value) => {
    reading.model = value;
  }),
  max_tokens: countMember("max_tokens", 1, (reading, value) => {
    reading.maxTokens = value;
  }),
  stream: (json, at, reading) => {
    const end = readFlag(json, at, "stream", flag);
    reading.stream = flag.value;
    return end;
  },
  speed: textMember("speed", (reading, value) => {
    reading.speed = value;
  }),
  service_tier: textMember("service_tier", (reading, value) => {
    reading.serviceTier = value;
  }),
  inference_geo: textMember("inference_geo", (reading, value) => {
    reading.inferenceGeo = value;
  }),
  fallbacks: (json, at, reading) => {
    const byte = json.bytes[at];
    if (byte === quote) {
      return readFallbackName(json, at, reading);
    }
    return byte === openBracket
      ? walkArray(json, at, (i, index) => readFallback(json, i, reading, index))
      : readNull(json, at, "fallbacks");
  },
  tools: (json, at, reading) =>
    json.bytes[at] === openBracket
      ? walkArray(json, at, (i, index) => readTool(json, i, reading, index))
      : readNull(json, at, "tools"),
  thread: (json, at, reading) =>
    json.bytes[at] === openBrace
      ? readThread(json, at, reading)
      : readNull(json, at, "thread", "an object"),
  mcp_servers: (json, at, reading) => {
    const end = skipValue(json, at, 1);
    // Their tools run upstream, as often as the model likes.
    if (end - at > 2 && !isLiteral(json, at, end, "null")) {
      addUses(reading, null);
    }
    return end;
  },
  messages: (json, at, reading) =>
    json.bytes[at] !== openBracket
      ? skipValue(json, at, 1)
      : walkArray(json, at, (i, index) => {
          reading.message = index;
          return json.bytes[i] === openBrace
            ? walkObject(json, i, messageLevel, reading)
            : skipValue(json, i, 2);
        }),
});
