import { RouterError, ScriptFault } from "./faults.ts";
import { type Answer, type Asked, send } from "./fetch-http.ts";
import type { Call, Handler } from "./interpreter.ts";
import { asNumber } from "./operators.ts";
import { type Steps, wait } from "./steps.ts";
import { keyedArray, nothing, num, str, time, toText, type Value } from "./values.ts";
import { atLeast } from "./version.ts";

/** One `/tool fetch` as it left the router, and what became of it. */
export type FetchRecord = {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly checkCertificate: string;
  status?: number;
  error?: string;
};

export type FetchSurroundings = Readonly<{
  version: string;
  clock: () => number;
  resolve: (host: string) => string | undefined;
  /** The authorities in the router's certificate store, PEM. */
  certificates: readonly string[];
  fetches: FetchRecord[];
  /** Milliseconds of silence after which a fetch gives up, if it does not say. */
  idle: number;
  /** Throws if the running script's policy lacks one of these. */
  demand: (...policies: string[]) => void;
  saveFile: (name: string, contents: string) => void;
}>;

const dataLimit = 65_536;
const outputLimits: Readonly<Record<string, number>> = {
  user: 64_512,
  "user-with-headers": 20_480,
};
const methods = ["get", "post", "put", "delete", "head", "patch"];

/** `/tool fetch` over real HTTP. */
export function fetchCommand(around: FetchSurroundings): [string, Handler] {
  return ["/tool fetch", (call) => fetchUrl(call, around)];
}

function* fetchUrl(call: Call, around: FetchSurroundings): Steps<Value> {
  around.demand("ftp", "test");
  const asked = yield* readRequest(call, around);
  const started = around.clock();
  const record: FetchRecord = {
    url: asked.url.href,
    method: asked.method,
    headers: asked.headers,
    body: asked.body,
    checkCertificate: asked.checkCertificate,
  };
  around.fetches.push(record);
  try {
    const answer = yield* follow(asked, around);
    record.status = answer.status;
    requireSuccess(answer, around.version);
    const took = BigInt(Math.round(around.clock() - started)) * 1_000_000n;
    return yield* deliver(call, around, asked, answer, took);
  } catch (thrown) {
    record.error = String(thrown);
    throw thrown;
  }
}

function* readRequest(call: Call, around: FetchSurroundings): Steps<Asked> {
  const url = readUrl(yield* call.text("url"));
  const method = call.has("http-method") ? yield* call.text("http-method") : "get";
  const data = yield* call.text("http-data");
  const checkCertificate = call.has("check-certificate")
    ? yield* call.text("check-certificate")
    : "no";
  if (!methods.includes(method)) {
    throw new RouterError("input does not match any value of http-method");
  }
  if (!["no", "yes", "yes-without-crl"].includes(checkCertificate)) {
    throw new RouterError("input does not match any value of check-certificate");
  }
  if (url.protocol === "http:" && (call.has("check-certificate") || call.has("certificate"))) {
    throw new RouterError("failure: certificate checks are for https only");
  }
  if (data.length > dataLimit) {
    throw new RouterError("failure: http-data is longer than 64 KB");
  }
  const carriesBody = ["post", "put", "patch"].includes(method) || atLeast(around.version, "7.21");
  const body = carriesBody ? data : "";
  const idle = call.has("idle-timeout") ? yield* idleTimeout(call) : around.idle;
  const headers = splitHeaders(yield* call.text("http-header-field"));
  const hasType = Object.keys(headers).some((name) => name.toLowerCase() === "content-type");
  if (body !== "" && !hasType) {
    headers["Content-Type"] = "application/x-www-form-urlencoded";
  }
  return {
    url,
    address: resolved(url, around),
    method,
    headers: { "User-Agent": `RouterOS ${around.version}`, ...headers },
    body,
    checkCertificate,
    certificates: around.certificates,
    idle,
    redirects: call.has("http-max-redirect-count")
      ? Number(asNumber(yield* call.value("http-max-redirect-count")))
      : atLeast(around.version, "7.22")
        ? 2
        : 0,
  };
}

function readUrl(text: string): URL {
  if (!URL.canParse(text) || /\s/.test(text)) {
    throw new RouterError("failure: invalid URL");
  }
  const url = new URL(text);
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw new ScriptFault(`/tool fetch ${url.protocol} is not implemented in this interpreter`);
  }
  return url;
}

function resolved(url: URL, { resolve }: FetchSurroundings): string {
  const address = resolve(url.hostname);
  if (address === undefined) {
    throw new RouterError("failure: resolving error");
  }
  return address;
}

function* idleTimeout(call: Call): Steps<number> {
  const value = yield* call.value("idle-timeout");
  if (value.kind === "time") {
    return Number(value.nanoseconds / 1_000_000n);
  }
  return toText(value) === "none" ? 0 : Number(asNumber(value)) * 1000;
}

/** `A: b,C: d`: a comma starts the next header unless `\` stands before it. */
function splitHeaders(text: string): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const field of text === "" ? [] : text.split(/(?<!\\),/)) {
    const [, name, value] = /^\s*([^:\s]+):\s*([^\r\n]*)$/.exec(field) ?? [];
    if (name === undefined || value === undefined) {
      throw new ScriptFault(`http-header-field: ${JSON.stringify(field)} is no header`);
    }
    headers[name] = value.replaceAll("\\,", ",");
  }
  return headers;
}

function* follow(asked: Asked, around: FetchSurroundings): Steps<Answer> {
  let next = asked;
  for (let left = asked.redirects; ; left--) {
    const answer = yield* wait(send(next));
    const location = answer.headers["location"];
    if (left <= 0 || location === undefined || Math.trunc(answer.status / 100) !== 3) {
      return answer;
    }
    const url = new URL(location, next.url);
    next = { ...next, url, address: resolved(url, around) };
  }
}

/** Anything but 2xx raises, and the body is lost; since 7.22 code and headers are told. */
function requireSuccess({ status, reason, headers }: Answer, version: string): void {
  const told = atLeast(version, "7.22");
  if ((status >= 200 && status < 300) || (status === 304 && told)) {
    return;
  }
  if (!told) {
    throw new RouterError(`Fetch failed with status ${status}`);
  }
  const attributes = new Map<string, Value>([
    ["code", num(status)],
    ["http-headers", headerArray(headers)],
  ]);
  throw new RouterError(`failure: Status ${status}, ${reason}`, attributes);
}

function headerArray(headers: Readonly<Record<string, string>>): Value {
  return keyedArray(Object.entries(headers).map(([name, value]) => [name, str(value)] as const));
}

function* deliver(
  call: Call,
  around: FetchSurroundings,
  { url }: Asked,
  { headers, body }: Answer,
  took: bigint,
): Steps<Value> {
  const output = call.has("output") ? yield* call.text("output") : "file";
  const limit = outputLimits[output];
  // A longer body is cut without a word.
  const data = limit === undefined ? body : body.slice(0, limit);
  if (limit === undefined && output !== "none" && (yield* call.text("keep-result")) !== "no") {
    const named = call.has("dst-path") ? yield* call.text("dst-path") : "";
    around.saveFile(named === "" ? (url.pathname.split("/").at(-1) ?? "") : named, body);
  }
  if (!call.flags.has("as-value")) {
    return nothing;
  }
  const kilobytes = data === "" ? 0 : Math.max(1, Math.floor(data.length / 1024));
  return keyedArray([
    ["status", str("finished")],
    ["downloaded", num(kilobytes)],
    ["total", num(Math.floor(body.length / 1024))],
    ["duration", time(took)],
    ...(limit === undefined ? [] : [["data", str(data)] as const]),
    ...(output === "user-with-headers" ? [["http-headers", headerArray(headers)] as const] : []),
  ]);
}
