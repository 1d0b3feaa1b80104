import { readFileSync } from "node:fs";
import { parseEnv } from "node:util";
import type { Environment } from "../pipeline/environment.ts";
import { parseObject } from "../pipeline/json/parse-object.ts";

/** Where settings come from, strongest first: environment, `config.env`, `.env`, `claude-relay-config.json`. */
export type Sources = Readonly<{
  environment: Environment;
  /** Flattened to dotted keys. */
  file: ReadonlyMap<string, string>;
  faults: readonly string[];
  /** The names that `config.env` sets. */
  configEnv?: readonly string[];
}>;

const readIfThere = (path: string, mustExist: boolean): string | null => {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (!mustExist && error instanceof Error && "code" in error && error.code === "ENOENT") {
      return null;
    }
    throw error;
  }
};

const flatten = (value: unknown, path: string, into: Map<string, string>): void => {
  if (Array.isArray(value)) {
    into.set(path, value.join(","));
  } else if (typeof value === "object" && value !== null) {
    for (const [key, inner] of Object.entries(value)) {
      flatten(inner, path === "" ? key : `${path}.${key}`, into);
    }
  } else if (value !== null) {
    into.set(path, String(value));
  }
};

const objectIn = (content: string): object => {
  const value = parseObject(content);
  if (value === null) {
    throw new Error("it is not a valid JSON object");
  }
  return value;
};

/** Node takes a value that starts with a quote to the next one and drops what follows: the names of such values. */
const cutValues = (content: string): string[] => {
  const quoted = /^[ \t]*(?:export[ \t]+)?([^\s=#]+)[ \t]*=[ \t]*(["'`])[\s\S]*?\2(.*)/gm;
  return [...content.matchAll(quoted)].flatMap(([, name = "", , rest = ""]) =>
    /^\s*(?:#|$)/.test(rest) ? [] : [name],
  );
};

const cutFault = (file: string, variable: string): string =>
  `${file}: ${variable} has text after its closing quote, which would be dropped. ` +
  "Put the whole value in a kind of quote that it does not hold.";

/**
 * Reads `config.env` and `.env` in `directory` and the JSON file named by `CLAUDE_RELAY_CONFIG`
 * (by default `claude-relay-config.json` there, if it exists).
 */
export const readSources = (processEnvironment: Environment, directory: string): Sources => {
  const faults: string[] = [];
  const file = new Map<string, string>();
  const readEnv = (name: string): Record<string, string | undefined> => {
    try {
      const content = readIfThere(`${directory}/${name}`, false) ?? "";
      faults.push(...cutValues(content).map((variable) => cutFault(name, variable)));
      return parseEnv(content);
    } catch (error) {
      faults.push(`${name}: cannot be read: ${String(error)}`);
      return {};
    }
  };
  const configEnv = readEnv("config.env");
  const environment = { ...readEnv(".env"), ...configEnv, ...processEnvironment };
  const named = environment["CLAUDE_RELAY_CONFIG"]?.trim() || undefined;
  const path = named ?? `${directory}/claude-relay-config.json`;
  try {
    const content = readIfThere(path, named !== undefined);
    if (content !== null) {
      flatten(objectIn(content), "", file);
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    faults.push(
      `${named ? "CLAUDE_RELAY_CONFIG" : "claude-relay-config.json"} cannot be used: ${reason}.`,
    );
  }
  return { environment, file, faults, configEnv: Object.keys(configEnv) };
};
