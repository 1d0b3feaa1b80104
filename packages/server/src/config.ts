/**
 * Environment and files → Config, or every fault at once.
 * Pure but for the reading in config/sources.ts; secrets.ts fills in what development may generate.
 */
import { Fault, type Setting } from "./config/setting.ts";
import { type SettingName, settings, type Values } from "./config/settings.ts";
import type { Sources } from "./config/sources.ts";
import { isLoopbackHost } from "./pipeline/loopback.ts";
import { modelPatternFault } from "./pipeline/model-pattern.ts";

export type UpstreamChoice =
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

export type ConfigResult =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly faults: readonly string[] };

/** Reads, parses and judges every setting; a fault names the setting and the remedy. */
export const loadConfig = (sources: Sources): ConfigResult => {
  const faults = [...sources.faults];
  const values = parseAll(sources, faults);
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

const parseOne = (setting: Setting<unknown>, sources: Sources, faults: string[]): unknown => {
  // An empty variable means "not set": `.env` files are full of `NAME=`.
  const given = sources.environment[setting.name]?.trim() || sources.file.get(setting.fileKey);
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

const judge = (values: Values): string[] => {
  const production = values.environment === "production";
  const local = isLoopbackHost(values.host);
  const faults: string[] = [];
  const demand = (given: boolean, message: string): void => {
    if (!given) {
      faults.push(message);
    }
  };
  const why = production
    ? "in production (NODE_ENV=production)"
    : `when HOST is not loopback (${values.host})`;
  if (production || !local) {
    demand(
      values.anthropicApiKeys.length > 0,
      `ANTHROPIC_API_KEY is required ${why}: the simulator serves development on loopback only.`,
    );
    demand(
      values.jwtSecret !== null,
      `JWT_SECRET is required ${why}; make one with: openssl rand -base64 32.`,
    );
    demand(
      values.adminToken !== null,
      `ADMIN_TOKEN is required ${why}; make one with: openssl rand -base64 32.`,
    );
    demand(
      values.proxyBaseUrl !== null,
      `PROXY_BASE_URL is required ${why}: the address callers reach this server at, such as https://relay.example.com.`,
    );
  }
  if (values.bootstrap === "open") {
    demand(
      local &&
        (values.proxyBaseUrl === null || isLoopbackHost(new URL(values.proxyBaseUrl).hostname)),
      "BOOTSTRAP=open hands a token to anyone, so HOST and PROXY_BASE_URL must be loopback: use BOOTSTRAP=code or approve.",
    );
  }
  for (const pattern of values.allowedModels) {
    const fault = modelPatternFault(pattern);
    if (fault !== null) {
      faults.push(`ALLOWED_MODELS: ${fault}.`);
    }
  }
  demand(
    values.anthropicApiKeys.length === 0 || !isOwnAddress(values),
    "ANTHROPIC_BASE_URL is this server's own address: it would call itself. It names upstream; clients set their own.",
  );
  return faults;
};

/** True for the address callers use: a shell set up for them passes it on to the server it starts. */
const isOwnAddress = ({ anthropicBaseUrl, port, proxyBaseUrl }: Values): boolean => {
  const upstream = new URL(anthropicBaseUrl);
  const upstreamPort = Number(upstream.port || (upstream.protocol === "https:" ? 443 : 80));
  return (
    anthropicBaseUrl === proxyBaseUrl ||
    (isLoopbackHost(upstream.hostname) && upstreamPort === port)
  );
};

const assemble = (values: Values, sources: Sources): Config => {
  const { anthropicApiKeys, anthropicBaseUrl, bootstrap, proxyBaseUrl, ...rest } = values;
  const production = values.environment === "production";
  const local = isLoopbackHost(values.host);
  const reachableOnlyHere =
    local && (proxyBaseUrl === null || isLoopbackHost(new URL(proxyBaseUrl).hostname));
  return {
    ...rest,
    proxyBaseUrl,
    upstream:
      anthropicApiKeys.length > 0
        ? { kind: "anthropic", apiKeys: anthropicApiKeys, baseUrl: anthropicBaseUrl }
        : { kind: "simulator" },
    bootstrap: bootstrap ?? (reachableOnlyHere && !production ? "open" : "code"),
    mayGenerateSecrets: local && !production,
    warnings: warnings(sources),
  };
};

const warnings = (sources: Sources): string[] =>
  ["REDIS_URL", "DATABASE_URL"]
    .filter((name) => sources.environment[name])
    .map(
      (name) =>
        `${name} is set but not used yet: this version keeps everything on this machine. Run one instance only.`,
    );
