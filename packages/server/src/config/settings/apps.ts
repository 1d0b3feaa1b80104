import { resolveModel } from "../../pipeline/model-alias.ts";
import { isModelId } from "../../pipeline/model-pattern.ts";
import {
  byteCount,
  define,
  duration,
  Fault,
  hour,
  minute,
  oneOf,
  seconds,
  text,
  wholeNumber,
} from "../setting.ts";

const orNone =
  (parse: (value: string) => number) =>
  (value: string): number | null =>
    value === "none" ? null : parse(value);

/** Your own apps, `/v1/complete` and `/v1/fetch`: the `apps` keys of the file. */
export const appSettings = {
  completeUpstream: define<"auto" | "cli" | "api" | "simulator">({
    name: "COMPLETE_UPSTREAM",
    fileKey: "apps.complete_upstream",
    parse: oneOf("auto", "cli", "api", "simulator"),
    fallback: "auto",
    shown: "auto",
    about:
      "What serves `/v1/complete`: the Anthropic API (`api`), the headless Claude Code found on this host (`cli`) or the simulator. `auto` takes the API when `ANTHROPIC_API_KEY` is set, else a logged-in Claude Code; one that cannot be used closes the door (503), and only where there is none the simulator answers.",
  }),
  defaultModel: define({
    name: "DEFAULT_MODEL",
    fileKey: "apps.default_model",
    parse: (value) => {
      if (!isModelId(resolveModel(value))) {
        throw new Fault("must be opus, sonnet, haiku or a full model id");
      }
      return value;
    },
    fallback: "opus",
    shown: "opus",
    about: "The model of a `/v1/complete` call that names none: an alias or a full id.",
  }),
  maxInputBytes: define({
    name: "MAX_INPUT_BYTES",
    fileKey: "apps.max_input_bytes",
    parse: byteCount(1, 32 * 1024 ** 2),
    fallback: 1024 ** 2,
    shown: "1MiB",
    about: "The most bytes that `prompt` and `system` of `/v1/complete` may have together.",
  }),
  completeTimeoutMs: define({
    name: "REQ_TIMEOUT",
    fileKey: "apps.req_timeout",
    parse: seconds(1, 7200),
    fallback: 5 * minute,
    shown: "300",
    about:
      "How long one `/v1/complete` call may take in all: seconds, or with a unit (`5m`). How long a request may take to arrive is `REQUEST_TIMEOUT`.",
  }),
  globalConcurrency: define({
    name: "GLOBAL_CONCURRENCY",
    fileKey: "apps.global_concurrency",
    parse: wholeNumber(1, 100_000),
    fallback: 16,
    shown: "16",
    about: "Model calls of all app keys at once; more are answered 429.",
  }),
  perKeyRpm: define({
    name: "PER_KEY_RPM",
    fileKey: "apps.per_key_rpm",
    parse: wholeNumber(1, 1_000_000_000),
    fallback: 60,
    shown: "60",
    about: "Requests a minute of an app key that has no limit of its own.",
  }),
  perKeyDaily: define<number | null>({
    name: "PER_KEY_DAILY",
    fileKey: "apps.per_key_daily",
    parse: orNone(wholeNumber(1, 1_000_000_000)),
    fallback: 2000,
    shown: "2000",
    about: "Model calls a UTC day of an app key that has no limit of its own; `none` for no limit.",
  }),
  globalDaily: define<number | null>({
    name: "GLOBAL_DAILY",
    fileKey: "apps.global_daily",
    parse: orNone(wholeNumber(1, 1_000_000_000)),
    fallback: 10_000,
    shown: "10000",
    about: "Model calls a UTC day of all app keys together; `none` for no limit.",
  }),
  fetchPerKeyRpm: define({
    name: "FETCH_PER_KEY_RPM",
    fileKey: "apps.fetch_per_key_rpm",
    parse: wholeNumber(1, 1_000_000_000),
    fallback: 30,
    shown: "30",
    about: "Page fetches a minute of one caller: a bucket of its own, apart from model calls.",
  }),
  fetchConcurrency: define({
    name: "FETCH_CONCURRENCY",
    fileKey: "apps.fetch_concurrency",
    parse: wholeNumber(1, 1000),
    fallback: 8,
    shown: "8",
    about: "Page fetches at once, half of them one caller's at most; more are answered 429.",
  }),
  fetchTimeoutMs: define({
    name: "FETCH_TIMEOUT",
    fileKey: "apps.fetch_timeout",
    parse: duration(100, hour),
    fallback: 30_000,
    shown: "30s",
    about: "How long one page fetch may take in all, redirects included.",
  }),
  claudeBinary: define<string | null>({
    name: "CLAUDE_BINARY",
    fileKey: "apps.claude_binary",
    parse: text,
    fallback: null,
    shown: "`claude` on the PATH",
    about: "The Claude Code binary that `COMPLETE_UPSTREAM=cli` runs.",
  }),
  cliPool: define({
    name: "CLI_POOL",
    fileKey: "apps.cli_pool",
    parse: wholeNumber(0, 32),
    fallback: 1,
    shown: "1",
    about:
      "Claude Code processes started ahead, so that a call does not wait for one; each is used once and takes some 150 MB.",
  }),
  cliConcurrency: define({
    name: "CLI_CONCURRENCY",
    fileKey: "apps.cli_concurrency",
    parse: wholeNumber(1, 256),
    fallback: 4,
    shown: "4",
    about: "Claude Code processes that answer at once, some 190 MB each.",
  }),
  cliQueue: define({
    name: "CLI_QUEUE",
    fileKey: "apps.cli_queue",
    parse: wholeNumber(0, 10_000),
    fallback: 16,
    shown: "16",
    about: "Calls that may wait for a Claude Code process; more are answered 429.",
  }),
  ngrokDomain: define<string | null>({
    name: "NGROK_DOMAIN",
    fileKey: "apps.ngrok_domain",
    parse: (value) => {
      if (!/^[a-z0-9-]+(\.[a-z0-9-]+)+$/i.test(value)) {
        throw new Fault("must be a domain such as your-name.ngrok-free.dev, without https://");
      }
      return value.toLowerCase();
    },
    fallback: null,
    shown: "none",
    about:
      "The tunnel's domain, for systemd/claude-relay-ngrok.service; callers then reach this server at `https://NGROK_DOMAIN` unless `PROXY_BASE_URL` says otherwise.",
    example: "your-name.ngrok-free.dev",
  }),
} as const;
