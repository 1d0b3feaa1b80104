import { define, duration, hour, minute, oneOf, wholeNumber } from "../setting.ts";

/** How long Anthropic may take: the `upstream` keys of the file. */
export const upstreamSettings = {
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
  fairShare: define<"on" | "off">({
    name: "FAIR_SHARE",
    fileKey: "upstream.fair_share",
    parse: oneOf("on", "off"),
    fallback: "on",
    shown: "on",
    about:
      "Whether callers share Anthropic's own limits fairly when these are less than the callers want; `off` serves whoever comes first.",
  }),
  fairShareWaitMs: define({
    name: "FAIR_SHARE_WAIT",
    fileKey: "upstream.fair_share_wait",
    parse: duration(0, 10 * minute),
    fallback: 10_000,
    shown: "10s",
    about:
      "How long a call may then wait for its caller's turn; one whose turn is further off is answered 429 at once, saying when.",
  }),
  fairShareQueue: define({
    name: "FAIR_SHARE_QUEUE",
    fileKey: "upstream.fair_share_queue",
    parse: wholeNumber(0, 100_000),
    fallback: 64,
    shown: "64",
    about:
      "Calls that may wait so at once, for each model, in each process and with their bodies in memory.",
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
} as const;
