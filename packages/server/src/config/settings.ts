import {
  byteCount,
  duration,
  Fault,
  httpUrl,
  list,
  oneOf,
  type Setting,
  secret,
  text,
  wholeNumber,
} from "./setting.ts";

const define = <Value>(setting: Setting<Value>): Setting<Value> => setting;

const minute = 60_000;
const hour = 60 * minute;

const apiKeys = (value: string): readonly string[] => list(value).map(secret(8));

const origins = (value: string): readonly string[] =>
  list(value).map((origin) => {
    if (origin === "*" || !URL.canParse(origin) || new URL(origin).origin !== origin) {
      throw new Fault(`must list origins such as https://app.example.com; "${origin}" is none`);
    }
    return origin;
  });

/** Every setting by the name the code uses, in the order the docs show. */
export const settings = {
  environment: define({
    name: "NODE_ENV",
    fileKey: "service.environment",
    parse: oneOf("development", "production", "test"),
    fallback: "development" as "development" | "production" | "test",
    shown: "development",
    about:
      "`production` demands `ANTHROPIC_API_KEY`, `JWT_SECRET`, `ADMIN_TOKEN` and `PROXY_BASE_URL`, and never falls back to the simulator.",
  }),
  anthropicApiKeys: define<readonly string[]>({
    name: "ANTHROPIC_API_KEY",
    fileKey: "anthropic.api_key",
    parse: apiKeys,
    fallback: [],
    shown: "none: the built-in simulator answers (development, loopback only)",
    about:
      "The master key, which callers never see. Several, separated by commas, make a pool: a key that is answered 429 or 401 rests and the next one is used.",
    example: "sk-ant-...",
  }),
  anthropicBaseUrl: define({
    name: "ANTHROPIC_BASE_URL",
    fileKey: "anthropic.base_url",
    parse: httpUrl,
    fallback: "https://api.anthropic.com",
    shown: "https://api.anthropic.com",
    about: "Where the Messages API is. Used only with `ANTHROPIC_API_KEY`.",
  }),
  host: define({
    name: "HOST",
    fileKey: "service.host",
    parse: text,
    fallback: "127.0.0.1",
    shown: "127.0.0.1",
    about:
      "Address to listen on. Anything but loopback demands what production demands, and a `BOOTSTRAP` other than `open`.",
  }),
  port: define({
    name: "PORT",
    fileKey: "service.port",
    parse: wholeNumber(0, 65_535),
    fallback: 3001,
    shown: "3001",
    about: "Port to listen on; 0 takes a free one.",
  }),
  proxyBaseUrl: define<string | null>({
    name: "PROXY_BASE_URL",
    fileKey: "service.proxy_base_url",
    parse: httpUrl,
    fallback: null,
    shown: "http://localhost:PORT",
    about: "The address callers reach this server at, handed out by `/bootstrap`.",
  }),
  dataDir: define({
    name: "DATA_DIR",
    fileKey: "service.data_dir",
    parse: text,
    fallback: "./data",
    shown: "./data",
    about:
      "Folder of the embedded database, the ledger's journal and, in development, the generated secrets.",
  }),
  jwtSecret: define<string | null>({
    name: "JWT_SECRET",
    fileKey: "security.jwt_secret",
    parse: secret(32),
    fallback: null,
    shown: "generated once into DATA_DIR (development, loopback only)",
    about: "Signs wrapper tokens (HS256). At least 32 bytes: `openssl rand -base64 32`.",
    example: "paste the output of: openssl rand -base64 32",
  }),
  jwtSecretPrevious: define<string | null>({
    name: "JWT_SECRET_PREVIOUS",
    fileKey: "security.jwt_secret_previous",
    parse: secret(32),
    fallback: null,
    shown: "none",
    about:
      "The secret before the last rotation: tokens signed with it stay valid until they expire.",
  }),
  jwtExpirationHours: define({
    name: "JWT_EXPIRATION_HOURS",
    fileKey: "security.jwt_expiration_hours",
    parse: wholeNumber(1, 24 * 90),
    fallback: 24,
    shown: "24",
    about: "How long a wrapper token lives.",
  }),
  adminToken: define<string | null>({
    name: "ADMIN_TOKEN",
    fileKey: "security.admin_token",
    parse: secret(16),
    fallback: null,
    shown: "generated once into DATA_DIR and printed once (development, loopback only)",
    about: "Bearer token of the admin API. At least 16 bytes.",
    example: "paste the output of: openssl rand -base64 32",
  }),
  bootstrap: define<"open" | "code" | "approve" | null>({
    name: "BOOTSTRAP",
    fileKey: "security.bootstrap",
    parse: oneOf("open", "code", "approve"),
    fallback: null,
    shown: "open on loopback in development, else code",
    about:
      "Who gets a token at `/bootstrap`: `open` anyone on this machine, `code` whoever brings an enrollment code, `approve` whoever an admin approves.",
  }),
  allowedModels: define<readonly string[]>({
    name: "ALLOWED_MODELS",
    fileKey: "policy.allowed_models",
    parse: list,
    fallback: [],
    shown: "all",
    about:
      "Models callers may use: exact ids, or patterns ending in `*` such as `claude-sonnet-*`.",
    example: "claude-sonnet-*,claude-haiku-*",
  }),
  rateLimitMax: define({
    name: "RATE_LIMIT_MAX",
    fileKey: "policy.rate_limit_max",
    parse: wholeNumber(1, 1_000_000_000),
    fallback: 100,
    shown: "100",
    about: "Requests a device may make per `RATE_LIMIT_WINDOW`.",
  }),
  rateLimitWindowMs: define({
    name: "RATE_LIMIT_WINDOW",
    fileKey: "policy.rate_limit_window",
    parse: duration(1000, 24 * hour),
    fallback: minute,
    shown: "60000",
    about: "The window of `RATE_LIMIT_MAX`, in milliseconds (or `60s`, `1m`).",
  }),
  ipRateLimitMax: define({
    name: "IP_RATE_LIMIT_MAX",
    fileKey: "policy.ip_rate_limit_max",
    parse: wholeNumber(1, 1_000_000_000),
    fallback: 100,
    shown: "100",
    about:
      "Per minute and client address: calls to `/bootstrap`, calls to `/refresh`, and failed credentials, each counted apart.",
  }),
  maxPayloadBytes: define({
    name: "MAX_PAYLOAD_SIZE",
    fileKey: "policy.max_payload_size",
    parse: byteCount(1024, 512 * 1024 ** 2),
    fallback: 32 * 1024 ** 2,
    shown: "32MiB",
    about: "Largest request body; Anthropic's own limit is 32 MB.",
  }),
  priceTable: define<string | null>({
    name: "PRICE_TABLE",
    fileKey: "policy.price_table",
    parse: text,
    fallback: null,
    shown: "the built-in table",
    about: "A JSON file whose prices replace or extend the built-in ones. See docs/pricing.md.",
  }),
  connectTimeoutMs: define({
    name: "UPSTREAM_CONNECT_TIMEOUT",
    fileKey: "upstream.connect_timeout",
    parse: duration(10, 10 * minute),
    fallback: 10_000,
    shown: "10s",
    about: "How long a connection to Anthropic may take.",
  }),
  headersTimeoutMs: define({
    name: "UPSTREAM_HEADERS_TIMEOUT",
    fileKey: "upstream.headers_timeout",
    parse: duration(10, 2 * hour),
    fallback: 10 * minute,
    shown: "10m",
    about:
      "How long Anthropic may take to begin its answer; one without streaming begins when it is done.",
  }),
  idleTimeoutMs: define({
    name: "UPSTREAM_IDLE_TIMEOUT",
    fileKey: "upstream.idle_timeout",
    parse: duration(10, 2 * hour),
    fallback: 10 * minute,
    shown: "10m",
    about: "How long a begun answer may stay silent; thinking can be silent for minutes.",
  }),
  pingIntervalMs: define({
    name: "PING_INTERVAL",
    fileKey: "upstream.ping_interval",
    parse: duration(10, hour),
    fallback: 15_000,
    shown: "15s",
    about:
      "After this much silence in a stream the caller gets an SSE `ping`, so that it does not hang up.",
  }),
  requestTimeoutMs: define({
    name: "REQUEST_TIMEOUT",
    fileKey: "service.request_timeout",
    parse: duration(100, hour),
    fallback: 2 * minute,
    shown: "2m",
    about: "How long a caller may take to send a whole request; its headers must come within 10 s.",
  }),
  drainTimeoutMs: define({
    name: "DRAIN_TIMEOUT",
    fileKey: "service.drain_timeout",
    parse: duration(0, 24 * hour),
    fallback: 10 * minute,
    shown: "10m",
    about:
      "After SIGTERM, how long running answers may take to finish. A second signal ends them at once.",
  }),
  ledgerSync: define({
    name: "LEDGER_SYNC",
    fileKey: "service.ledger_sync",
    parse: oneOf("none", "full"),
    fallback: "none" as "none" | "full",
    shown: "none",
    about:
      "`none`: a killed process loses nothing, a power cut may lose the last seconds. `full`: each group of ledger lines is on disk before it counts.",
  }),
  trustProxy: define({
    name: "TRUST_PROXY",
    fileKey: "service.trust_proxy",
    parse: wholeNumber(0, 16),
    fallback: 0,
    shown: "0",
    about:
      "How many reverse proxies stand in front. The client's address is that many steps from the right in `X-Forwarded-For`; 0 ignores the header.",
  }),
  corsOrigins: define<readonly string[]>({
    name: "CORS_ORIGINS",
    fileKey: "service.cors_origins",
    parse: origins,
    fallback: [],
    shown: "none",
    about: "Web origins that may call this server from a browser.",
    example: "https://app.example.com",
  }),
  logLevel: define({
    name: "LOG_LEVEL",
    fileKey: "service.log_level",
    parse: oneOf("trace", "debug", "info", "warn", "error", "silent"),
    fallback: "info" as "trace" | "debug" | "info" | "warn" | "error" | "silent",
    shown: "info",
    about:
      "Least severe lines that are logged. Prompts, completions and secrets are logged on none.",
  }),
} as const;

export type SettingName = keyof typeof settings;
/** The raw values, each parsed on its own; config.ts judges them together. */
export type Values = {
  readonly [Name in SettingName]: (typeof settings)[Name] extends Setting<infer Value>
    ? Value
    : never;
};
