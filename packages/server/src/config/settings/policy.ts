import { listPrices, type PriceTable } from "../../pipeline/price/price-table.ts";
import { readPriceTable } from "../price-file.ts";
import { byteCount, define, duration, hour, list, minute, wholeNumber } from "../setting.ts";

/** What callers may do and what it costs: the `policy` keys of the file. */
export const policySettings = {
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
  concurrencyQueueMs: define({
    name: "CONCURRENCY_QUEUE_MS",
    fileKey: "policy.concurrency_queue_ms",
    parse: duration(0, 10 * minute),
    fallback: 0,
    shown: "0",
    about:
      "How long a model call over a limit of concurrency may wait for a place, in milliseconds (or `30s`); 0 answers 429 at once.",
  }),
  concurrencyQueueMax: define({
    name: "CONCURRENCY_QUEUE_MAX",
    fileKey: "policy.concurrency_queue_max",
    parse: wholeNumber(1, 100_000),
    fallback: 64,
    shown: "64",
    about:
      "Calls that may wait so at once, in each process and with their bodies in memory. When as many wait, a caller with fewer waiting takes the place of the newest of another's.",
  }),
  maxPayloadBytes: define({
    name: "MAX_PAYLOAD_SIZE",
    fileKey: "policy.max_payload_size",
    parse: byteCount(1024, 512 * 1024 ** 2),
    fallback: 32 * 1024 ** 2,
    shown: "32MiB",
    about: "Largest request body; Anthropic's own limit is 32 MB.",
  }),
  priceTable: define<PriceTable>({
    name: "PRICE_TABLE",
    fileKey: "policy.price_table",
    parse: readPriceTable,
    fallback: listPrices,
    shown: "the built-in table",
    about: "A JSON file whose prices replace or extend the built-in ones. See docs/pricing.md.",
  }),
} as const;
