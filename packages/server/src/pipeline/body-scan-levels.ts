import type { ModelId } from "@claude-relay/contract";
import { type Found, isLiteral, readCount, readFlag, readText } from "./body-scan-values.ts";
import {
  decodeString,
  type JsonBytes,
  openBrace,
  openBracket,
  quote,
  skipString,
  skipValue,
  walkArray,
} from "./json-scan.ts";
import { type Level, level, walkObject } from "./json-scan-object.ts";
import { Refusal } from "./refusal.ts";
import type { ReachableModel } from "./types.ts";

/** What has been read so far; `path` names the object being read, for messages. */
export type Reading = {
  path: string;
  model: string | null;
  maxTokens: number | null;
  stream: boolean;
  speed: string | null;
  serviceTier: string | null;
  inferenceGeo: string | null;
  serverToolUses: number | null;
  others: ReachableModel[];
  /** The tool or fallback being read. */
  entry: Entry;
  message: number;
  block: number;
};

type Entry = {
  model: string | null;
  type: string | null;
  maxUses: number | null;
  maxTokens: number | null;
  speed: string | null;
};

const emptyEntry = (): Entry => ({
  model: null,
  type: null,
  maxUses: null,
  maxTokens: null,
  speed: null,
});

export const startReading = (): Reading => ({
  path: "",
  model: null,
  maxTokens: null,
  stream: false,
  speed: null,
  serviceTier: null,
  inferenceGeo: null,
  serverToolUses: 0,
  others: [],
  entry: emptyEntry(),
  message: 0,
  block: 0,
});

const text: Found<string | null> = { value: null };
const count: Found<number | null> = { value: null };
const flag: Found<boolean> = { value: false };

const fieldOf = (reading: Reading, key: string): string =>
  reading.path === "" ? key : `${reading.path}.${key}`;

/** Types of tools that the caller runs itself, or that only search the request's own tool list. */
const isClientTool = (type: string | null): boolean =>
  type === null ||
  type === "custom" ||
  /^(?:bash|text_editor|computer|computer_toolset|browser_toolset|memory|tool_search_tool_\w+?)_\d{8}$/.test(
    type,
  );

const toolLevel = (depth: number): Level<Reading> =>
  level<Reading>(depth, {
    model: (json, at, reading) => {
      const end = readText(json, at, fieldOf(reading, "model"), text);
      reading.entry.model = text.value;
      return end;
    },
    type: (json, at, reading) => {
      const end = readText(json, at, fieldOf(reading, "type"), text);
      reading.entry.type = text.value;
      return end;
    },
    max_uses: (json, at, reading) => {
      const end = readCount(json, at, fieldOf(reading, "max_uses"), 0, count);
      reading.entry.maxUses = count.value;
      return end;
    },
    max_tokens: (json, at, reading) => {
      const end = readCount(json, at, fieldOf(reading, "max_tokens"), 1, count);
      reading.entry.maxTokens = count.value;
      return end;
    },
  });

const listedTool = toolLevel(3);
const addedTool = toolLevel(7);

const readTool = (
  json: JsonBytes,
  at: number,
  here: Level<Reading>,
  reading: Reading,
  path: string,
): number => {
  if (json.bytes[at] !== openBrace) {
    throw new Refusal("invalid_request", `${path}: must be an object`);
  }
  const outer = reading.path;
  reading.path = path;
  reading.entry = emptyEntry();
  const end = walkObject(json, at, here, reading);
  const { model, type, maxUses, maxTokens } = reading.entry;
  if (model !== null) {
    reading.others.push({ field: `${path}.model`, model: model as ModelId, maxTokens });
  }
  if (!isClientTool(type)) addUses(reading, maxUses);
  reading.path = outer;
  return end;
};

const addUses = (reading: Reading, uses: number | null): void => {
  reading.serverToolUses =
    uses === null || reading.serverToolUses === null ? null : reading.serverToolUses + uses;
};

const fallbackLevel = level<Reading>(3, {
  model: (json, at, reading) => {
    const end = readText(json, at, fieldOf(reading, "model"), text);
    reading.entry.model = text.value;
    return end;
  },
  max_tokens: (json, at, reading) => {
    const end = readCount(json, at, fieldOf(reading, "max_tokens"), 1, count);
    reading.entry.maxTokens = count.value;
    return end;
  },
  speed: (json, at, reading) => {
    const end = readText(json, at, fieldOf(reading, "speed"), text);
    reading.entry.speed = text.value;
    return end;
  },
});

const readFallback = (json: JsonBytes, at: number, reading: Reading, path: string): number => {
  if (json.bytes[at] !== openBrace) {
    throw new Refusal("invalid_request", `${path}: must be an object`);
  }
  const outer = reading.path;
  reading.path = path;
  reading.entry = emptyEntry();
  const end = walkObject(json, at, fallbackLevel, reading);
  const { model, maxTokens, speed } = reading.entry;
  if (model !== null) {
    reading.others.push({ field: `${path}.model`, model: model as ModelId, maxTokens, speed });
  }
  reading.path = outer;
  return end;
};

/**
 * `"default"` lets upstream choose: the model is unknown until it answers. It is listed under that name, so
 * that an allow-list must name it and the price book takes it for the dearest.
 */
const readFallbackName = (json: JsonBytes, at: number, reading: Reading): number => {
  const end = skipString(json, at + 1);
  if (decodeString(json.bytes, at + 1, end - 1) !== "default") {
    throw new Refusal("invalid_request", 'fallbacks: must be an array, "default" or null');
  }
  reading.others.push({ field: "fallbacks", model: "default" as ModelId });
  return end;
};

const readNull = (json: JsonBytes, at: number, field: string, depth: number): number => {
  const end = skipValue(json, at, depth);
  if (!isLiteral(json, at, end, "null")) {
    throw new Refusal("invalid_request", `${field}: must be an array or null`);
  }
  return end;
};

/** A `tool_addition` block defines a tool in the middle of a conversation: another door for a model. */
const toolChangeLevel = level<Reading>(6, {
  definition: (json, at, reading) =>
    json.bytes[at] === openBrace
      ? readTool(json, at, addedTool, reading, `${reading.path}.definition`)
      : skipValue(json, at, 6),
});

const blockLevel = level<Reading>(5, {
  tool: (json, at, reading) => {
    if (json.bytes[at] !== openBrace) return skipValue(json, at, 5);
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

/** The whole body. Every array below it is at depth 2, its objects at depth 3. */
export const bodyLevel = level<Reading>(1, {
  model: (json, at, reading) => {
    const end = readText(json, at, "model", text);
    reading.model = text.value;
    return end;
  },
  max_tokens: (json, at, reading) => {
    const end = readCount(json, at, "max_tokens", 1, count);
    reading.maxTokens = count.value;
    return end;
  },
  stream: (json, at, reading) => {
    const end = readFlag(json, at, "stream", flag);
    reading.stream = flag.value;
    return end;
  },
  speed: (json, at, reading) => {
    const end = readText(json, at, "speed", text);
    reading.speed = text.value;
    return end;
  },
  service_tier: (json, at, reading) => {
    const end = readText(json, at, "service_tier", text);
    reading.serviceTier = text.value;
    return end;
  },
  inference_geo: (json, at, reading) => {
    const end = readText(json, at, "inference_geo", text);
    reading.inferenceGeo = text.value;
    return end;
  },
  fallbacks: (json, at, reading) => {
    const byte = json.bytes[at];
    if (byte === quote) return readFallbackName(json, at, reading);
    return byte === openBracket
      ? walkArray(json, at, (i, index) => readFallback(json, i, reading, `fallbacks[${index}]`))
      : readNull(json, at, "fallbacks", 1);
  },
  tools: (json, at, reading) =>
    json.bytes[at] === openBracket
      ? walkArray(json, at, (i, index) => readTool(json, i, listedTool, reading, `tools[${index}]`))
      : readNull(json, at, "tools", 1),
  mcp_servers: (json, at, reading) => {
    const end = skipValue(json, at, 1);
    // Their tools run upstream, as often as the model likes.
    if (end - at > 2 && !isLiteral(json, at, end, "null")) addUses(reading, null);
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
