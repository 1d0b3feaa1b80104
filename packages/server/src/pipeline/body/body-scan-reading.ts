import { type JsonBytes, openBrace } from "../json/json-bytes.ts";
import { type Level, type MemberReader, walkObject } from "../json/json-scan-object.ts";
import { Refusal } from "../refusal.ts";
import type { ReachableModel } from "../types.ts";
import { type Found, readCount, readText } from "./body-scan-values.ts";

/** What has been read of a body so far. */
export type Reading = {
  /** The object being read, for messages; empty for the body itself. */
  path: string;
  model: string | null;
  maxTokens: number | null;
  stream: boolean;
  speed: string | null;
  serviceTier: string | null;
  inferenceGeo: string | null;
  serverToolUses: number | null;
  promptElsewhere: boolean;
  /** The models beside `model`. */
  others: ReachableModel[];
  entry: Entry;
  message: number;
  block: number;
};

/** The tool or fallback being read. */
export type Entry = {
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
  promptElsewhere: false,
  others: [],
  entry: emptyEntry(),
  message: 0,
  block: 0,
});

const fieldOf = (reading: Reading, key: string): string =>
  reading.path === "" ? key : `${reading.path}.${key}`;

const text: Found<string | null> = { value: null };
const count: Found<number | null> = { value: null };

/** A member that holds a string or null. */
export const textMember =
  (key: string, keep: (reading: Reading, value: string | null) => void): MemberReader<Reading> =>
  (json, at, reading) => {
    const end = readText(json, at, fieldOf(reading, key), text);
    keep(reading, text.value);
    return end;
  };

/** A member that holds a whole number of at least `least`, or null. */
export const countMember =
  (
    key: string,
    least: number,
    keep: (reading: Reading, value: number | null) => void,
  ): MemberReader<Reading> =>
  (json, at, reading) => {
    const end = readCount(json, at, fieldOf(reading, key), least, count);
    keep(reading, count.value);
    return end;
  };

/** Reads an object of a list into a fresh `reading.entry`, under its own path. */
export const readEntry = (
  json: JsonBytes,
  at: number,
  here: Level<Reading>,
  reading: Reading,
  path: string,
  keep: (reading: Reading, path: string) => void,
): number => {
  if (json.bytes[at] !== openBrace) {
    throw new Refusal("invalid_request", `${path}: must be an object`);
  }
  const outer = reading.path;
  reading.path = path;
  reading.entry = emptyEntry();
  const end = walkObject(json, at, here, reading);
  keep(reading, path);
  reading.path = outer;
  return end;
};

/** Adds what a server tool may be used; null is without bound. */
export const addUses = (reading: Reading, uses: number | null): void => {
  reading.serverToolUses =
    uses === null || reading.serverToolUses === null ? null : reading.serverToolUses + uses;
};
