import type { ModelId } from "@claude-relay/contract";
import type { JsonBytes } from "../json/json-bytes.ts";
import { decodeString, skipString } from "../json/json-scan.ts";
import { type Level, level } from "../json/json-scan-object.ts";
import { Refusal } from "../refusal.ts";
import { addUses, countMember, type Reading, readEntry, textMember } from "./body-scan-reading.ts";

const toolLevel = (depth: number): Level<Reading> =>
  level<Reading>(depth, {
    model: textMember("model", ({ entry }, value) => {
      entry.model = value;
    }),
    type: textMember("type", ({ entry }, value) => {
      entry.type = value;
    }),
    max_uses: countMember("max_uses", 0, ({ entry }, value) => {
      entry.maxUses = value;
    }),
    max_tokens: countMember("max_tokens", 1, ({ entry }, value) => {
      entry.maxTokens = value;
    }),
  });

const listedTool = toolLevel(3);
const addedTool = toolLevel(7);

/** Types of tools that the caller runs itself, or that only search the request's own tool list. */
const clientTool =
  /^(?:bash|text_editor|computer|computer_toolset|browser_toolset|memory|tool_search_tool_\w+?)_\d{8}$/;

const isClientTool = (type: string | null): boolean =>
  type === null || type === "custom" || clientTool.test(type);

const keepTool = (reading: Reading, path: string): void => {
  const { model, type, maxUses, maxTokens } = reading.entry;
  if (model !== null) {
    reading.others.push({ field: `${path}.model`, model: model as ModelId, maxTokens });
  }
  if (!isClientTool(type)) {
    addUses(reading, maxUses);
  }
};

/** Reads one of `tools`. A tool may name a model of its own (`advisor_20260301`). */
export const readTool = (json: JsonBytes, at: number, reading: Reading, index: number): number =>
  readEntry(json, at, listedTool, reading, `tools[${index}]`, keepTool);

/** Reads a tool defined by a `tool_addition` block; `reading.path` is the block's `tool`. */
export const readAddedTool = (json: JsonBytes, at: number, reading: Reading): number =>
  readEntry(json, at, addedTool, reading, `${reading.path}.definition`, keepTool);

const fallbackLevel = level<Reading>(3, {
  model: textMember("model", ({ entry }, value) => {
    entry.model = value;
  }),
  max_tokens: countMember("max_tokens", 1, ({ entry }, value) => {
    entry.maxTokens = value;
  }),
  speed: textMember("speed", ({ entry }, value) => {
    entry.speed = value;
  }),
});

const keepFallback = (reading: Reading, path: string): void => {
  const { model, maxTokens, speed } = reading.entry;
  if (model === null) {
    return;
  }
  reading.others.push({ field: `${path}.model`, model: model as ModelId, maxTokens, speed });
};

export const readFallback = (
  json: JsonBytes,
  at: number,
  reading: Reading,
  index: number,
): number => readEntry(json, at, fallbackLevel, reading, `fallbacks[${index}]`, keepFallback);

const threadLevel = level<Reading>(2, {
  type: textMember("type", ({ entry }, value) => {
    entry.type = value;
  }),
});

/** A thread that is continued has its earlier turns upstream; one that is created has them all here. */
export const readThread = (json: JsonBytes, at: number, reading: Reading): number =>
  readEntry(json, at, threadLevel, reading, "thread", ({ entry }) => {
    reading.promptElsewhere = entry.type !== "create";
  });

/**
 * `"default"` lets upstream choose: the model is unknown until it answers. It is listed under that name, so
 * that an allow-list must name it and the price book takes it for the dearest.
 */
export const readFallbackName = (json: JsonBytes, at: number, reading: Reading): number => {
  const end = skipString(json, at + 1);
  if (decodeString(json.bytes, at + 1, end - 1) !== "default") {
    throw new Refusal("invalid_request", 'fallbacks: must be an array, "default" or null');
  }
  reading.others.push({ field: "fallbacks", model: "default" as ModelId });
  return end;
};
