/** What the app remembers that is no secret: looks, the default model, the relay's address. */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { type Static, Type } from "typebox";
import { Compile } from "typebox/compile";
import { CallError } from "../bridge/call-error.ts";
import type { Settings } from "../bridge/protocol.ts";

const Kept = Type.Object({
  theme: Type.Union([Type.Literal("system"), Type.Literal("light"), Type.Literal("dark")]),
  default_model: Type.Union([Type.String({ minLength: 1, maxLength: 256 }), Type.Null()]),
  relay_url: Type.Union([Type.String({ minLength: 1, maxLength: 2048 }), Type.Null()]),
});
type Kept = Static<typeof Kept>;

const kept = Compile(Kept);
const fresh: Kept = { theme: "system", default_model: null, relay_url: null };

export interface SettingsFile {
  readonly settings: Settings;
  /** Null before a relay was chosen. */
  readonly relayUrl: string | null;
  /** What the user must know: that the file was damaged. */
  readonly notice: string | null;
  /** Changes what is named. @throws CallError when it cannot be written; then nothing is changed */
  change(changes: Partial<Settings> & Readonly<{ relayUrl?: string | null }>): void;
}

/** Reads the file (0600). One that is damaged is put aside, and the settings start anew. */
export const openSettingsFile = (path: string): SettingsFile => {
  const found = read(path);
  let current = found.kept;
  return {
    get settings() {
      return { theme: current.theme, defaultModel: current.default_model };
    },
    get relayUrl() {
      return current.relay_url;
    },
    notice: found.notice,
    change: ({ theme, defaultModel, relayUrl }) => {
      const changed = {
        theme: theme ?? current.theme,
        default_model: defaultModel === undefined ? current.default_model : defaultModel,
        relay_url: relayUrl === undefined ? current.relay_url : relayUrl,
      };
      write(path, changed);
      current = changed;
    },
  };
};

const read = (path: string): Readonly<{ kept: Kept; notice: string | null }> => {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    const notice =
      codeOf(error) === "ENOENT"
        ? null
        : `The settings cannot be read (${codeOf(error)}): ${path}.`;
    return { kept: fresh, notice };
  }
  const value = parse(text);
  return value === undefined
    ? { kept: fresh, notice: putAside(path) }
    : { kept: value, notice: null };
};

const parse = (text: string): Kept | undefined => {
  try {
    const value: unknown = JSON.parse(text);
    return kept.Check(value) ? value : undefined;
  } catch {
    return undefined;
  }
};

const putAside = (path: string): string => {
  const aside = path.replace(/(\.json)?$/, ".damaged$1");
  try {
    renameSync(path, aside);
    return `The settings file was damaged. It is put aside as ${aside}, and the settings start anew.`;
  } catch (error) {
    return `The settings file is damaged and cannot be put aside (${codeOf(error)}): ${path}.`;
  }
};

/** Written apart and moved into place: whoever is stopped in between leaves the old file whole. */
const write = (path: string, value: Kept): void => {
  const temporary = `${path}.${process.pid}`;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    removeIfPossible(temporary);
    const text = `${JSON.stringify(value, null, 2)}\n`;
    writeFileSync(temporary, text, { flag: "wx", mode: 0o600, flush: true });
    renameSync(temporary, path);
  } catch (error) {
    removeIfPossible(temporary);
    throw new CallError({
      code: "failed",
      message: `The settings cannot be written (${codeOf(error)}). Make this file and its folder writable for you: ${path}.`,
    });
  }
};

const removeIfPossible = (path: string): void => {
  try {
    rmSync(path, { force: true });
  } catch {
    // It is in nobody's way, or whoever writes there next says so.
  }
};

const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error ? String(error.code) : "unknown";
