import { existsSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout } from "node:timers/promises";
import { parseObject } from "../../pipeline/json/parse-object.ts";
import type { Log } from "../../pipeline/log.ts";
import type { Upstream, UpstreamReceiver } from "../../pipeline/types.ts";
import { withTimeLimit } from "../time-limit.ts";
import { type ClaudeCliOptions, createClaudeCli, defaultProcessLimits } from "./claude-cli.ts";

/** A file every host has and everybody may read: were a mention of it followed, its words would show. */
const mentioned = ["/proc/version", "/etc/hosts", "/etc/passwd"].find(existsSync) ?? "/etc/passwd";

const asked = {
  model: "claude-rehearsal-1",
  max_tokens: 4321,
  system: "You rehearse.",
  prompt: `/cost @${mentioned} !id #memory`,
};

type Rehearsed = Pick<
  ClaudeCliOptions,
  "binary" | "version" | "credential" | "sandbox" | "tempRoot" | "clock"
>;

const timeLimitMs = 15_000;

/**
 * Runs one whole call against a server of its own on loopback, with a made-up credential of the same kind, and
 * looks at what Claude Code would have sent to Anthropic: what no init line tells. Takes about half a second.
 * For versions nobody has tested yet.
 * @returns the fault, or null when the request was exactly the call's
 */
export const rehearseClaudeCli = async (rehearsed: Rehearsed): Promise<string | null> => {
  const { server, bodies } = await startStage();
  const { port } = server.address() as AddressInfo;
  const cli = createClaudeCli({
    ...rehearsed,
    credential:
      rehearsed.credential.kind === "api_key"
        ? { kind: "api_key", key: "sk-ant-rehearsal" }
        : { kind: "oauth_token", token: "sk-ant-oat01-rehearsal" },
    baseUrl: `http://127.0.0.1:${port}`,
    defaultModel: asked.model,
    poolSize: 0,
    maxIdleMs: 0,
    concurrency: 1,
    queue: 0,
    limits: defaultProcessLimits,
    // What is wrong is told once, by who asked for the rehearsal.
    log: silent,
  });
  try {
    const fault = await play(withTimeLimit(cli.upstream, timeLimitMs));
    // Whatever it would still send, it has sent when it is gone.
    while (cli.status().running > 0) {
      await setTimeout(10);
    }
    return fault ?? faultIn(bodies);
  } finally {
    await cli.close();
    server.close();
    server.closeAllConnections();
  }
};

const silent: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  isLevelEnabled: () => false,
};

const play = (upstream: Upstream): Promise<string | null> =>
  new Promise((resolve) => {
    let status = 0;
    const receiver: UpstreamReceiver = {
      onStart: (started) => {
        status = started;
      },
      onData: () => {},
      onEnd: () => resolve(status === 200 ? null : `it answered ${status}`),
      onFailure: (failure) =>
        resolve(
          failure.kind === "unreachable" ? failure.message : "it gave no whole answer in time",
        ),
    };
    const { model, max_tokens, system, prompt } = asked;
    const messages = [{ role: "user", content: prompt }];
    const body = Buffer.from(JSON.stringify({ model, max_tokens, system, messages, stream: true }));
    upstream.send({ operation: { kind: "messages", beta: false }, headers: [], body }, receiver);
  });

const faultIn = (bodies: readonly string[]): string | null => {
  const [body = "", ...more] = bodies;
  if (body === "" || more.length > 0) {
    return `one call made ${bodies.length} requests`;
  }
  const sent = parseObject(body);
  if (sent === null) {
    return "it sent what is no message";
  }
  const texts = (value: unknown): string => JSON.stringify(value ?? null);
  const faults: readonly (readonly [boolean, string])[] = [
    [texts(sent["tools"] ?? []) !== "[]", "it offers tools"],
    [sent["model"] !== asked.model, "it asks another model"],
    [sent["max_tokens"] !== asked.max_tokens, "it does not keep max_tokens"],
    [!texts(sent["system"]).includes(texts(asked.system)), "it drops the system prompt"],
    [!texts(sent["messages"]).includes(texts(`\n${asked.prompt}`)), "it changes the prompt"],
    [texts(sent).includes(wordsOf(mentioned)), "it reads files a prompt mentions"],
  ];
  return faults.find(([is]) => is)?.[1] ?? null;
};

/** A part of a file as it would stand in JSON. */
const wordsOf = (path: string): string => {
  const first = readFileSync(path, "utf8").split("\n")[0] ?? "";
  return JSON.stringify(first).slice(1, -1);
};

/** Answers every request with the same cut-off message, which must not be continued. */
const startStage = async (): Promise<{ server: Server; bodies: readonly string[] }> => {
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.once("end", () => {
      if (request.method === "POST") {
        bodies.push(Buffer.concat(chunks).toString());
      }
      response.writeHead(200, { "content-type": "text/event-stream" }).end(scene);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, bodies };
};

const usage = { input_tokens: 1, output_tokens: 1 };
const message = { id: "msg_1", type: "message", role: "assistant", model: asked.model, usage };
const scene = [
  { type: "message_start", message: { ...message, content: [], stop_reason: null } },
  { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
  { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "I re" } },
  { type: "content_block_stop", index: 0 },
  { type: "message_delta", delta: { stop_reason: "max_tokens", stop_sequence: null }, usage },
  { type: "message_stop" },
]
  .map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
  .join("");
