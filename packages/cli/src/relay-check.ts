/** Whether a claude-relay answers at an address, and whether it serves this machine: with the reason when not. */
import { Fault, printable } from "./fault.ts";
import { isObject, type JsonObject, parseObject } from "./json-object.ts";
import type { RelayAddress } from "./relay-address.ts";
import { askRelay, type RelayAnswer } from "./relay-request.ts";

export type KnownRelay = Readonly<{ version: string; upstream: string }>;

/**
 * Asks `/healthz` and `/health`, without any credential.
 * @throws Fault when nobody answers, or something that is no claude-relay
 */
export const checkRelay = async (address: RelayAddress): Promise<KnownRelay> => {
  const healthz = await get(address, "/healthz");
  const alive = parseObject(healthz.text);
  if (healthz.status !== 200 || alive?.["status"] !== "ok" || !("timestamp" in alive)) {
    throw notARelay(address, healthz);
  }
  const health = await get(address, "/health");
  const body = parseObject(health.text);
  if (health.status !== 200 || body?.["status"] !== "healthy") {
    throw notARelay(address, health);
  }
  const said = (name: string): string => printable(String(body[name] ?? "unknown"));
  return { version: said("version"), upstream: said("upstream") };
};

/** What the relay serves this machine. */
export type Served = Readonly<{ models: number; model: string; inputTokens: number }>;

/**
 * A real request with the token: the models there are, and the tokens of a short message for one of them,
 * which costs nothing.
 * @throws Fault with the relay's or upstream's words
 */
export const checkToken = async (address: RelayAddress, token: string): Promise<Served> => {
  const list = await asClient(address, token, { method: "GET", path: "/v1/models?limit=1000" });
  const models = (Array.isArray(list["data"]) ? list["data"] : [])
    .map((model: unknown) => (isObject(model) ? model["id"] : undefined))
    .filter((id) => typeof id === "string");
  const model = models.find((id) => id.includes("haiku")) ?? models[0];
  if (model === undefined) {
    throw new Fault(
      `The relay at ${address.url} allows this machine no model: ask its operator (ALLOWED_MODELS, or the device's own list).`,
    );
  }
  const counted = await asClient(address, token, {
    method: "POST",
    path: "/v1/messages/count_tokens",
    body: { model, messages: [{ role: "user", content: "Hello" }] },
  });
  const inputTokens = Number(counted["input_tokens"]);
  return { models: models.length, model: printable(model), inputTokens };
};

type Asked = Readonly<{ method: "GET" | "POST"; path: string; body?: object }>;

const asClient = async (
  address: RelayAddress,
  token: string,
  asked: Asked,
): Promise<JsonObject> => {
  const answer = await askRelay(address, {
    ...asked,
    token,
    headers: { "anthropic-version": "2023-06-01" },
  });
  const body = parseObject(answer.text);
  if (answer.status === 200 && body !== null) {
    return body;
  }
  const error = isObject(body?.["error"]) ? body["error"]["message"] : undefined;
  const words = typeof error === "string" ? printable(error) : `status ${answer.status}`;
  throw new Fault(`The relay at ${address.url} answered a request with: ${words}`);
};

const get = (address: RelayAddress, path: string): Promise<RelayAnswer> =>
  askRelay(address, { method: "GET", path, timeoutMs: 10_000 });

const notARelay = ({ url }: RelayAddress, { status, location }: RelayAnswer): Fault => {
  if (status >= 300 && status < 400) {
    return new Fault(
      `${url} sends callers on to ${printable(location ?? "another address")}. That is not followed: connect to the relay's own address.`,
    );
  }
  const { pathname, origin } = new URL(url);
  const shorter = pathname === "/" ? "" : ` Is it at ${origin}?`;
  return new Fault(
    `What answers at ${url} (status ${status}) is not claude-relay: check the address.${shorter}`,
  );
};
