import { availableParallelism } from "node:os";
import { type DatabaseAddress, databaseUrl } from "../database-url.ts";
import {
  define,
  duration,
  Fault,
  hour,
  httpUrl,
  list,
  minute,
  oneOf,
  text,
  wholeNumber,
} from "../setting.ts";

const origins = (value: string): readonly string[] =>
  list(value).map((origin) => {
    if (origin === "*" || !URL.canParse(origin) || new URL(origin).origin !== origin) {
      throw new Fault(`must list origins such as https://app.example.com; "${origin}" is none`);
    }
    return origin;
  });

/** The message quotes nothing: there may be a password in it. */
const redisUrl = (value: string): string => {
  if (value.startsWith("/")) {
    return value;
  }
  if (!URL.canParse(value) || !/^rediss?:$/.test(new URL(value).protocol)) {
    throw new Fault("must be redis://HOST:PORT, rediss://HOST:PORT or the path of a Unix socket");
  }
  return value;
};

/** How the server runs and where it is reached: the `service` keys of the file. */
export const serviceSettings = {
  environment: define({
    name: "NODE_ENV",
    fileKey: "service.environment",
    parse: oneOf("development", "production", "test"),
    fallback: "development" as "development" | "production" | "test",
    shown: "development",
    about:
      "`production` demands `ANTHROPIC_API_KEY`, `JWT_SECRET`, `ADMIN_TOKEN` and `PROXY_BASE_URL`, and never falls back to the simulator.",
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
  databaseUrl: define<DatabaseAddress | null>({
    name: "DATABASE_URL",
    fileKey: "service.database_url",
    parse: databaseUrl,
    fallback: null,
    shown: "none: SQLite in `DATA_DIR`",
    about:
      "The Postgres that holds the records instead, see docs/ledger.md. Another machine than this one must speak TLS and prove its name, unless `sslmode` in the address says otherwise.",
    example: "postgres://relay:password@db.example.com/relay",
  }),
  requestTimeoutMs: define({
    name: "REQUEST_TIMEOUT",
    fileKey: "service.request_timeout",
    parse: duration(100, hour),
    fallback: 2 * minute,
    shown: "2m",
    about:
      "How long a caller may take to send a whole request; its headers must come within 10 s. How long an answer of `/v1/complete` may take is `REQ_TIMEOUT`.",
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
  redisUrl: define<string | null>({
    name: "REDIS_URL",
    fileKey: "service.redis_url",
    parse: redisUrl,
    fallback: null,
    shown: "none",
    about:
      "Where limits, budgets and changes are shared by several instances: `redis://`, `rediss://` (TLS) or the path of a Unix socket. Without it they are kept in this process.",
    example: "redis://127.0.0.1:6379",
  }),
  workers: define({
    name: "WORKERS",
    fileKey: "service.workers",
    parse: (value) => (value === "auto" ? availableParallelism() : wholeNumber(1, 256)(value)),
    fallback: 1,
    shown: "1",
    about:
      "Processes that serve one port together; `auto` for one a core. More than one needs `REDIS_URL` and `DATABASE_URL`.",
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
