/** Claude Code's settings pointed at a relay, and taken back: what stood there before is remembered. */
import { join } from "node:path";
import { Fault } from "../fault.ts";
import { isObject, type JsonObject } from "../json-object.ts";
import { damaged, readState, writeState } from "../state-file.ts";
import { helperCommand } from "./helper-command.ts";
import type { MemberPath } from "./json-text.ts";
import {
  type Change,
  type UndoRecord,
  type Wanted,
  withoutSettings,
  withSettings,
} from "./settings-change.ts";
import {
  backUp,
  readClaudeSettings,
  removeClaudeSettings,
  writeClaudeSettings,
} from "./settings-file.ts";

/** Claude Code asks its helper again after so long; at once when it is told 401. Milliseconds. */
const helperTtlMs = 300_000;

/** Settings that would lead Claude Code past the relay, or to it with a second credential. */
export const inTheWay = [
  "ANTHROPIC_API_KEY",
  "ANTHROPIC_AUTH_TOKEN",
  "CLAUDE_CODE_USE_BEDROCK",
  "CLAUDE_CODE_USE_VERTEX",
  "CLAUDE_CODE_USE_FOUNDRY",
] as const;

/** What Claude Code's settings must say to use the relay at `url`. */
export const wantedSettings = (url: string): readonly Wanted[] => [
  { path: ["apiKeyHelper"], value: helperCommand(url) },
  { path: ["env", "ANTHROPIC_BASE_URL"], value: url },
  { path: ["env", "CLAUDE_CODE_API_KEY_HELPER_TTL_MS"], value: String(helperTtlMs) },
  ...inTheWay.map((name): Wanted => ({ path: ["env", name], value: null })),
];

export type Places = Readonly<{
  /** Claude Code's settings file. */
  settings: string;
  /** This command's own folder. */
  folder: string;
}>;

export type Written = Readonly<{
  /** Whether anything was changed at all. */
  changed: boolean;
  /** The copy of the file as it was; null when there was none, or when an earlier connect made one. */
  backup: string | null;
  /** Names of settings that were taken out. */
  setAside: readonly string[];
}>;

/**
 * Points Claude Code at the relay. To be called alone: see state-lock.ts.
 * @throws Fault when its settings are no JSON object or cannot be written; nothing is changed then
 */
export const pointClaudeCodeAt = (url: string, places: Places, now: Date): Written => {
  const before = readClaudeSettings(places.settings);
  const earlier = readRecord(places);
  const { text, record } = changed(places, before, wantedSettings(url), earlier?.record ?? null);
  const setAside = record.changes
    .filter(({ wrote, before: old }) => wrote === null && old !== null)
    .map(({ path }) => path.join("."));
  if (text === before) {
    keepRecord(places, { url, record });
    return { changed: false, backup: null, setAside };
  }
  const backup = earlier === null ? backUp(places.settings, now) : null;
  // Kept first: a process that dies in between leaves an undo that finds nothing to do.
  keepRecord(places, { url, record });
  try {
    writeClaudeSettings(places.settings, text, before);
  } catch (error) {
    keepRecord(places, earlier);
    throw error;
  }
  return { changed: true, backup, setAside };
};

/** The relay that Claude Code was pointed at; null when it was not. */
export const claudeCodeRelay = (places: Places): string | null => readRecord(places)?.url ?? null;

/**
 * Takes back what connecting wrote. To be called alone: see state-lock.ts.
 * @returns the settings that were changed again since, and are left alone; null when there was nothing to take back
 * @throws Fault
 */
export const takeClaudeCodeBack = (places: Places): readonly MemberPath[] | null => {
  const kept = readRecord(places);
  if (kept === null) {
    return null;
  }
  const before = readClaudeSettings(places.settings);
  const left = before === null ? null : withoutSettings(before, kept.record);
  if (before !== null && left !== null && left.text !== before) {
    if (left.text === null) {
      removeClaudeSettings(places.settings);
    } else {
      writeClaudeSettings(places.settings, left.text, before);
    }
  }
  keepRecord(places, null);
  return left?.kept ?? [];
};

const changed = (
  { settings }: Places,
  ...args: Parameters<typeof withSettings>
): ReturnType<typeof withSettings> => {
  try {
    return withSettings(...args);
  } catch (error) {
    throw error instanceof Fault
      ? new Fault(`${settings} is left as it is, for ${error.message}: mend it first.`)
      : error;
  }
};

type Kept = Readonly<{ url: string; record: UndoRecord }>;

const recordPath = ({ folder }: Places): string => join(folder, "claude-code.json");

const readRecord = (places: Places): Kept | null => {
  const { [places.settings]: kept } = readState(recordPath(places));
  if (kept === undefined) {
    return null;
  }
  if (!isKept(kept)) {
    throw damaged(recordPath(places));
  }
  return kept;
};

const keepRecord = (places: Places, kept: Kept | null): void => {
  const { [places.settings]: _, ...others } = readState(recordPath(places));
  const state: JsonObject = kept === null ? others : { ...others, [places.settings]: kept };
  writeState(recordPath(places), state);
};

const isKept = (value: unknown): value is Kept => {
  const record = isObject(value) ? value["record"] : undefined;
  return (
    isObject(value) &&
    typeof value["url"] === "string" &&
    isObject(record) &&
    typeof record["fileMade"] === "boolean" &&
    typeof record["envMade"] === "boolean" &&
    Array.isArray(record["changes"]) &&
    record["changes"].every(isChange)
  );
};

const isChange = (value: unknown): value is Change =>
  isObject(value) &&
  Array.isArray(value["path"]) &&
  value["path"].length > 0 &&
  value["path"].every((name) => typeof name === "string") &&
  isTextOrNull(value["wrote"]) &&
  isJsonOrNull(value["before"]);

const isTextOrNull = (value: unknown): boolean => value === null || typeof value === "string";

const isJsonOrNull = (value: unknown): boolean => {
  try {
    return value === null || (typeof value === "string" && JSON.parse(value) !== undefined);
  } catch {
    return false;
  }
};
