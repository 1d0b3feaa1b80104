import { readFileSync } from "node:fs";
import { parseEnv } from "node:util";

/** All that the app is told from outside. */
export const settingNames = [
  "ENABLE_PROXY",
  "PROXY_BOOTSTRAP_URL",
  "PROXY_HEALTH_URL",
  "CLAUDE_RELAY_URL",
] as const;

export type Settings = Partial<Record<(typeof settingNames)[number], string>>;

/**
 * The app's settings: the environment's, else those of the first `.env` that has them. Nothing else of such a
 * file gets out: the relay's own, in the same place, holds its secrets.
 */
export const readSettings = (
  environment: Readonly<Record<string, string | undefined>>,
  envFiles: readonly string[],
): Settings => {
  const places = [environment, ...envFiles.map(readEnvFile)];
  const settings: Settings = {};
  for (const name of settingNames) {
    const value = places.map((place) => place[name]?.trim()).find(Boolean);
    if (value !== undefined) {
      settings[name] = value;
    }
  }
  return settings;
};

const readEnvFile = (path: string): Readonly<Record<string, string | undefined>> => {
  try {
    return parseEnv(readFileSync(path, "utf8"));
  } catch {
    return {};
  }
};
