import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { Fault } from "./fault.ts";
import { isObject, parseObject } from "./json-object.ts";

/** The relay's settings that the command line needs, and their keys in `claude-relay-config.json`. */
export const fileKeys = {
  CLAUDE_RELAY_URL: null,
  HOST: "service.host",
  PORT: "service.port",
  DATA_DIR: "service.data_dir",
  PROXY_BASE_URL: "service.proxy_base_url",
  NGROK_DOMAIN: "apps.ngrok_domain",
  ADMIN_TOKEN: "security.admin_token",
  CLAUDE_RELAY_CLOUD_HOST: "service.cloud_host",
  CLAUDE_RELAY_CLOUD_PORT: "service.cloud_port",
} as const;

export type SettingName = keyof typeof fileKeys;

export type Found = Readonly<{
  value: string;
  /** Where it stands, in words for a message: `the environment`, `config.env`, … */
  from: string;
}>;

export type Settings = Readonly<{
  /** The folder whose files were read. */
  directory: string;
  /** What the relay itself would read there; null when it is not set, or set to nothing. */
  get(name: SettingName): Found | null;
}>;

type Environment = Readonly<Record<string, string | undefined>>;
type Source = Readonly<{ from: string; values: Environment }>;

export const theEnvironment = "the environment";

/**
 * Reads settings as the server does, strongest first: environment, `config.env`, `.env`, and then
 * `claude-relay-config.json` (or the file `CLAUDE_RELAY_CONFIG` names).
 * @throws Fault when a file is there and cannot be read
 */
export const readSettings = (environment: Environment, directory: string): Settings => {
  const sources: readonly Source[] = [
    { from: theEnvironment, values: environment },
    ...["config.env", ".env"].map((name) => ({
      from: name,
      values: parseEnv(readIfThere(join(directory, name)) ?? ""),
    })),
  ];
  const inFile = readConfigFile(firstNamed(sources, "CLAUDE_RELAY_CONFIG")?.value, directory);
  return {
    directory,
    get: (name) => {
      const found = firstNamed(sources, name);
      if (found !== null) {
        return found;
      }
      const key = fileKeys[name];
      const value = key === null ? "" : inFile(key);
      return value === "" ? null : { value, from: "claude-relay-config.json" };
    },
  };
};

/** As in the server, a variable set to nothing hides a weaker one: `PORT= npm start` means "not set". */
const firstNamed = (sources: readonly Source[], name: string): Found | null => {
  const source = sources.find(({ values }) => values[name] !== undefined);
  const value = source?.values[name]?.trim() ?? "";
  return source === undefined || value === "" ? null : { value, from: source.from };
};

const readConfigFile = (
  named: string | undefined,
  directory: string,
): ((dottedKey: string) => string) => {
  const path = named ?? join(directory, "claude-relay-config.json");
  const content = readIfThere(path);
  if (content === null) {
    return () => "";
  }
  const root = parseObject(content);
  if (root === null) {
    throw new Fault(`${path} is not a valid JSON object: mend or delete it.`);
  }
  return (dottedKey) => {
    let value: unknown = root;
    for (const part of dottedKey.split(".")) {
      value = isObject(value) ? value[part] : undefined;
    }
    return typeof value === "string" || typeof value === "number" ? String(value).trim() : "";
  };
};

/** The file's text, or null when there is no such file. @throws Fault when it cannot be read */
export const readIfThere = (path: string): string | null => {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT" || code === "ENOTDIR") {
      return null;
    }
    const remedy =
      code === "EACCES" || code === "EPERM" ? ": run this as the user who runs the relay" : "";
    throw new Fault(`${path} cannot be read (${String(code ?? error)})${remedy}.`);
  }
};
