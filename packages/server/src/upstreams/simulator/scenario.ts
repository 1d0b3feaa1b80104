import { invalid } from "./api-error.ts";

/** How an answer is cut off: by RST, by FIN, or by a proper end that comes too early. */
export type Cut = Readonly<{
  how: "reset" | "close" | "end";
  /** Whole events sent before the cut (a JSON answer is cut in its middle). */
  afterEvents: number;
  /** Where in the next event: before it, half way, or inside its first character of several bytes. */
  within: "nothing" | "event" | "character";
}>;

export type Failure = Readonly<{ status: number; retryAfterSeconds: number | null; html: boolean }>;

/** Everything a scenario can change about an answer. */
export type Plan = Readonly<{
  failure: Failure | null;
  breakBeforeHeaders: "reset" | "close" | null;
  slowStartMs: number;
  slowFirstEventMs: number;
  pauseMs: number;
  thinkingSilenceMs: number;
  stallAfterEvents: number | null;
  errorAfterEvents: number | null;
  cut: Cut | null;
  /** Bytes a write; null for an event a write. */
  splitBytes: number | null;
  /** The whole stream in one write. */
  fast: boolean;
  /** Fixed number of text deltas; null for as many as the text needs. */
  deltas: number | null;
  deltaPauseMs: number;
  hugeBytes: number | null;
  usageHeavy: boolean;
  refusal: boolean;
  /** An answer without any content. */
  empty: boolean;
  /** Asks for this tool in every answer, whether the request offers it or not. */
  toolUse: string | null;
  unknownEvents: boolean;
  setCookie: boolean;
  gzip: boolean;
}>;

const plainPlan: Plan = {
  failure: null,
  breakBeforeHeaders: null,
  slowStartMs: 0,
  slowFirstEventMs: 0,
  pauseMs: 0,
  thinkingSilenceMs: 0,
  stallAfterEvents: null,
  errorAfterEvents: null,
  cut: null,
  splitBytes: null,
  fast: false,
  deltas: null,
  deltaPauseMs: 0,
  hugeBytes: null,
  usageHeavy: false,
  refusal: false,
  empty: false,
  toolUse: null,
  unknownEvents: false,
  setCookie: false,
  gzip: false,
};

type Arguments = (index: number, fallback: number) => number;
/** The first argument as it stands, or a fallback. */
type Word = (fallback: string) => string;
type ReadPlan = (number: Arguments, word: Word) => Partial<Plan>;
type Scenario = Readonly<{ usage: string; does: string; plan: ReadPlan }>;

const scenario = (usage: string, does: string, plan: ReadPlan): Scenario => ({
  usage,
  does,
  plan,
});

const failure = (status: number, retryAfterSeconds: number | null = null, html = false) => ({
  failure: { status, retryAfterSeconds, html },
});

const cut = (how: Cut["how"], within: Cut["within"], afterEvents: number) => ({
  cut: { how, within, afterEvents },
});

const failureStatuses = [400, 401, 402, 403, 404, 408, 409, 413, 422, 500, 502, 503, 504];

const failures = Object.fromEntries(
  failureStatuses.map((status) => [
    String(status),
    scenario(`${status}`, `answers ${status}`, () => failure(status)),
  ]),
);

/** Every scenario by name. A number in the usage is what stands there when it is left out. */
export const scenarios: Readonly<Record<string, Scenario>> = {
  ...failures,
  "429": scenario("429:1", "answers 429 with that retry-after, in seconds", (n) =>
    failure(429, n(0, 1)),
  ),
  "529": scenario("529", "answers 529 overloaded_error; with a number, and retry-after", (n) =>
    failure(529, n(0, -1) < 0 ? null : n(0, 0)),
  ),
  html: scenario("html:502", "answers that status with a page instead of JSON", (n) =>
    failure(n(0, 502), null, true),
  ),
  "error-after-start": scenario(
    "error-after-start:3",
    "after so many events, an `error` event: overloaded_error",
    (n) => ({ errorAfterEvents: n(0, 3) }),
  ),
  stall: scenario("stall:3", "silent for ever after so many events", (n) => ({
    stallAfterEvents: n(0, 3),
  })),
  "slow-start": scenario("slow-start:1000", "waits (ms) before the headers", (n) => ({
    slowStartMs: n(0, 1000),
  })),
  "slow-headers": scenario("slow-headers:1000", "the same as slow-start", (n) => ({
    slowStartMs: n(0, 1000),
  })),
  "slow-first-event": scenario("slow-first-event:1000", "waits (ms) after the headers", (n) => ({
    slowFirstEventMs: n(0, 1000),
  })),
  pause: scenario("pause:100", "waits (ms) between events", (n) => ({ pauseMs: n(0, 100) })),
  paced: scenario("paced:20:50", "so many text deltas, that many ms apart", (n) => ({
    deltas: n(0, 20),
    deltaPauseMs: n(1, 50),
  })),
  "thinking-silence": scenario(
    "thinking-silence:1000",
    "waits (ms) without a ping before the first delta",
    (n) => ({ thinkingSilenceMs: n(0, 1000) }),
  ),
  "reset-before-headers": scenario("reset-before-headers", "RST instead of an answer", () => ({
    breakBeforeHeaders: "reset",
  })),
  "close-before-headers": scenario("close-before-headers", "FIN instead of an answer", () => ({
    breakBeforeHeaders: "close",
  })),
  "reset-mid-event": scenario(
    "reset-mid-event:4",
    "RST in the middle of the event after so many",
    (n) => cut("reset", "event", n(0, 4)),
  ),
  "reset-mid-utf8": scenario("reset-mid-utf8", "RST inside a character of several bytes", () =>
    cut("reset", "character", 0),
  ),
  "close-mid-stream": scenario(
    "close-mid-stream:4",
    "FIN after so many events, the body unfinished",
    (n) => cut("close", "nothing", n(0, 4)),
  ),
  "end-mid-stream": scenario(
    "end-mid-stream:4",
    "ends the body properly after so many events, without message_stop",
    (n) => cut("end", "nothing", n(0, 4)),
  ),
  "byte-by-byte": scenario("byte-by-byte", "one byte a write", () => ({ splitBytes: 1 })),
  split: scenario("split:7", "so many bytes a write, across event boundaries", (n) => ({
    splitBytes: n(0, 7),
  })),
  deltas: scenario("deltas:10000", "so many text deltas", (n) => ({ deltas: n(0, 10_000) })),
  huge: scenario("huge:1048576", "a text of so many bytes", (n) => ({ hugeBytes: n(0, 1 << 20) })),
  "usage-heavy": scenario(
    "usage-heavy",
    "server tools, iterations of two models, priority tier, US inference, two message_delta",
    () => ({ usageHeavy: true }),
  ),
  refusal: scenario("refusal", "stop_reason refusal, no text", () => ({ refusal: true })),
  empty: scenario("empty", "stop_reason end_turn, no content at all", () => ({ empty: true })),
  tool: scenario(
    "tool:Bash",
    "uses that tool in every answer, offered or not, with the first JSON object of the prompt",
    (_, word) => ({ toolUse: word("Bash") }),
  ),
  "unknown-events": scenario("unknown-events", "events and fields no client knows", () => ({
    unknownEvents: true,
  })),
  "set-cookie": scenario("set-cookie", "sends a cookie, as a CDN does", () => ({
    setCookie: true,
  })),
  gzip: scenario("gzip", "compressed, if the request accepts gzip", () => ({ gzip: true })),
  fast: scenario("fast", "the whole stream in one write", () => ({ fast: true })),
};

/** Counts requests for `first-n`: how often this text has been seen before. */
export type Sightings = (text: string) => number;

/**
 * Reads a scenario list such as `pause:50,deltas:100` or `first-n:2:529`; later parts win.
 * @param seen counts for `first-n:K:scenario`, which holds for the first K requests that carry it
 * @throws ApiError 400 for a name or number it does not know: a slip must not look like success
 */
export const planOf = (text: string, seen: Sightings): Plan =>
  text === ""
    ? plainPlan
    : Object.assign({}, plainPlan, ...text.split(",").map((part) => partOf(part.trim(), seen)));

const partOf = (part: string, seen: Sightings): Partial<Plan> => {
  const [name = "", ...args] = part.split(":");
  if (name === "first-n") {
    const nested = partOf(args.slice(1).join(":"), seen);
    return seen(part) < numberAt(args, 0, 1, part) ? nested : {};
  }
  const found = Object.hasOwn(scenarios, name) ? scenarios[name] : undefined;
  if (found === undefined) {
    const known = [...Object.keys(scenarios), "first-n:K:…"].join(", ");
    throw invalid(`x-simulator-scenario: no scenario '${part}'. Known: ${known}`);
  }
  return found.plan(
    (index, fallback) => numberAt(args, index, fallback, part),
    (fallback) => args[0] ?? fallback,
  );
};

const numberAt = (args: readonly string[], index: number, fallback: number, part: string) => {
  const number = args[index] === undefined ? fallback : Number(args[index]);
  if (!Number.isSafeInteger(number)) {
    throw invalid(`x-simulator-scenario: not a whole number in '${part}'`);
  }
  return number;
};
