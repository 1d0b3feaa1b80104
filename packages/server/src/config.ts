/**
 * Environment and files → Config, or every fault at once.
 * Writes nothing; it reads what config/sources.ts read, the price file, and whether DATA_DIR can be used.
 * secrets.ts fills in what development may generate.
 */
import { isReachableOnlyHere, judge, warningsOf } from "./config/judge.ts";
import { Fault, type Setting } from "./config/setting.ts";
import { type SettingName, settings, type Values } from "./config/settings.ts";
import type { Sources } from "./config/sources.ts";
import { idleRouterSettings, strangersIn } from "./config/strangers.ts";
import { isLoopbackHost } from "./pipeline/loopback.ts";

type UpstreamChoice =
  | { readonly kind: "anthropic"; readonly apiKeys: readonly string[]; readonly baseUrl: string }
  | { readonly kind: "simulator" };

export type Config = Readonly<
  Omit<Values, "anthropicApiKeys" | "anthropicBaseUrl" | "bootstrap" | "proxyBaseUrl"> & {
    upstream: UpstreamChoice;
    bootstrap: "open" | "code" | "approve";
    /** Null: `http://localhost:PORT`, once the port is known. */
    proxyBaseUrl: string | null;
    /** Loopback and not production: missing secrets may be generated. */
    mayGenerateSecrets: boolean;
    warnings: readonly string[];
  }
>;

type ConfigResult =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly faults: readonly string[] };

/** Reads, parses and judges every setting; a fault names the setting and the remedy. */
export const loadConfig = (sources: Sources): ConfigResult => {
  const faults = [...sources.faults];
  const values = throughTunnel(parseAll(sources, faults));
  faults.push(...judge(values));
  if (faults.length > 0) {
    return { ok: false, faults };
  }
  return { ok: true, config: assemble(values, sources) };
};

const parseAll = (sources: Sources, faults: string[]): Values => {
  const values: Partial<Record<SettingName, unknown>> = {};
  for (const name of Object.keys(settings) as SettingName[]) {
    values[name] = parseOne(settings[name] as Setting<unknown>, sources, faults);
  }
  return values as Values;
};

/** A tunnel's domain is the address callers use, unless another is named. */
const throughTunnel = (values: Values): Values => ({
  ...values,
  proxyBaseUrl:
    values.proxyBaseUrl ?? (values.ngrokDomain === null ? null : `https://${values.ngrokDomain}`),
});

const parseOne = (setting: Setting<unknown>, sources: Sources, faults: string[]): unknown => {
  const inFile = sources.file.get(setting.fileKey);
  if (setting.environmentOnly && inFile !== undefined) {
    faults.push(
      `${setting.name} is taken from the environment only: take ${setting.fileKey} out of the configuration file.`,
    );
    return setting.fallback;
  }
  // An empty variable means "not set": `.env` files are full of `NAME=`.
  const given = sources.environment[setting.name]?.trim() || inFile;
  if (given === undefined) {
    return setting.fallback;
  }
  try {
    return setting.parse(given);
  } catch (error) {
    if (!(error instanceof Fault)) {
      throw error;
    }
    faults.push(`${setting.name} ${error.message}.`);
    return setting.fallback;
  }
};

const assemble = (values: Values, sources: Sources): Config => {
  const { anthropicApiKeys, anthropicBaseUrl, bootstrap, proxyBaseUrl, ...rest } = values;
  const production = values.environment === "production";
  return {
    ...rest,
    proxyBaseUrl,
    upstream:
      anthropicApiKeys.length > 0
        ? { kind: "anthropic", apiKeys: anthropicApiKeys, baseUrl: anthropicBaseUrl }
        : { kind: "simulator" },
    bootstrap: bootstrap ?? (isReachableOnlyHere(values) && !production ? "open" : "code"),
    mayGenerateSecrets: isLoopbackHost(values.host) && !production,
    warnings: [...warningsOf(values), ...idleRouterSettings(sources), ...strangersIn(sources)],
  };
};
