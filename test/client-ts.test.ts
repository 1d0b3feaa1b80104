/** The TypeScript client against the real relay, with the simulator as Anthropic. */
import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import { promisify } from "node:util";
import {
  AuthenticationError,
  type Client,
  createClient,
  InvalidRequestError,
  OverloadedError,
  PermissionDeniedError,
  RateLimitError,
  RelayError,
  RequestTooLargeError,
} from "../packages/client/src/index.ts";
import { type Setting, startSetting } from "./harness/anthropic.ts";
import { mintAppKey } from "./harness/app-key.ts";
import { buildClients } from "./harness/client-builds.ts";
import { rowsWhen } from "./harness/ledger.ts";
import { findNode20 } from "./harness/node-20.ts";
import { tempFolder } from "./harness/temp-folder.ts";

const root = new URL("..", import.meta.url).pathname;

let setting: Setting;
let key: string;
let client: Client;

before(async () => {
  setting = await startSetting({ env: { COMPLETE_UPSTREAM: "api", MAX_INPUT_BYTES: "100000" } });
  key = await mintAppKey(setting.relay);
  client = createClient({ url: setting.relay.url, key });
});
after(() => setting.stop());
beforeEach(() => setting.simulator.reset());

const clientOf = async (label: string, policy: Record<string, unknown>): Promise<Client> => {
  const ownKey = await mintAppKey(setting.relay, label, policy);
  return createClient({ url: setting.relay.url, key: ownKey, maxRetries: 0 });
};

describe("complete", () => {
  it("gives the model's text", async () => {
    assert.match(await client.complete({ prompt: "Hi 🦊", system: "s" }), /You said: Hi 🦊$/);
    const seen: unknown = JSON.parse(String(setting.simulator.log.at(-1)?.body));
    const { system, max_tokens } = seen as Record<string, unknown>;
    assert.match(JSON.stringify(system), /"s"/);
    assert.ok(Number(max_tokens) > 0);
  });

  it("gives a result that fits the schema", async () => {
    const jsonSchema = {
      type: "object",
      properties: { color: { type: "string" } },
      required: ["color"],
      additionalProperties: false,
    };
    const result = await client.complete<{ color: string }>({ prompt: "p", jsonSchema });
    assert.equal(typeof result.color, "string");
  });

  it("gives the plain text as result when the answer is no JSON", async () => {
    assert.match(String(await client.complete({ prompt: "p", outputFormat: "json" })), /You said/);
  });

  it("gets past an upstream that turns it away at first", async () => {
    const model = "claude-sim-first-n:1:529";
    assert.match(await client.complete({ prompt: "p", model }), /You said: p$/);
    assert.equal(setting.simulator.counters().requests, 2);
  });

  it("aborted, frees upstream", async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const asked = client.complete({ prompt: "p", model: "claude-sim-stall:3", signal });
    const rejected = assert.rejects(asked, { name: "AbortError" });
    await setting.simulator.until(({ requests }) => requests === 1);
    controller.abort();
    await rejected;
    await setting.simulator.until(({ open }) => open === 0);
  });
});

describe("streamComplete", () => {
  it("gives the pieces, and the usage that the ledger has", async () => {
    const answer = client.streamComplete({ prompt: "Hello, 🌍!", model: "haiku" });
    const pieces: string[] = [];
    for await (const piece of answer) {
      pieces.push(piece);
    }
    const { text, usage, stopReason, model, modelId, requestId } = await answer.final();
    assert.ok(pieces.length > 1);
    assert.equal(pieces.join(""), text);
    assert.match(text, /You said: Hello, 🌍!$/);
    assert.equal(stopReason, "end_turn");
    assert.equal(model, "haiku");
    assert.match(modelId, /^claude-haiku-/);
    const rows = await rowsWhen(setting.relay, (all) => all.some(({ id }) => id === requestId));
    const row = rows.find(({ id }) => id === requestId);
    assert.equal(row?.input_tokens, usage.inputTokens);
    assert.equal(row?.output_tokens, usage.outputTokens);
  });

  it("left in the middle, frees upstream", async () => {
    for await (const _ of client.streamComplete({ prompt: "p", model: "claude-sim-stall:5" })) {
      break;
    }
    await setting.simulator.until(({ requests, open }) => requests === 1 && open === 0);
  });

  it("throws when upstream fails or breaks off in the middle, and never takes half for whole", async () => {
    const failing = client.streamComplete({ prompt: "p", model: "claude-sim-error-after-start:5" });
    await assert.rejects(failing.final(), OverloadedError);
    for (const model of ["claude-sim-close-mid-stream", "claude-sim-end-mid-stream"]) {
      await assert.rejects(client.streamComplete({ prompt: "p", model }).final(), RelayError);
    }
  });
});

describe("fetchPage and models", () => {
  it("a private address is refused", async () => {
    for (const url of [
      "http://127.0.0.1/",
      "http://169.254.169.254/latest/meta-data/",
      "ftp://a",
    ]) {
      await assert.rejects(client.fetchPage({ url }), InvalidRequestError);
    }
  });

  it("models are listed with their names", async () => {
    const models = await client.models();
    assert.ok(models.some(({ id }) => id.startsWith("claude-opus-")));
    assert.ok(models.every(({ displayName }) => displayName !== ""));
  });
});

describe("what the relay refuses", () => {
  it("a stranger, a revoked key, a door the key is not for", async () => {
    const { url } = setting.relay;
    const stranger = createClient({ url, key: "crk_made_up" });
    await assert.rejects(stranger.complete({ prompt: "p" }), AuthenticationError);
    const revoked = await clientOf("revoked", {});
    await revoked.complete({ prompt: "p" });
    await setting.relay.admin("/admin/keys/revoked", { method: "DELETE" });
    await assert.rejects(revoked.complete({ prompt: "p" }), AuthenticationError);
    const fetchOnly = await clientOf("fetch-only", { doors: ["fetch"] });
    await assert.rejects(fetchOnly.complete({ prompt: "p" }), PermissionDeniedError);
    assert.equal(setting.simulator.counters().requests, 1);
  });

  it("an empty prompt, a model nobody has, too large an input", async () => {
    await assert.rejects(client.complete({ prompt: " " }), InvalidRequestError);
    await assert.rejects(client.complete({ prompt: "p", maxTokens: 0 }), InvalidRequestError);
    await assert.rejects(client.complete({ prompt: "p", model: "gpt" }), RelayError);
    await assert.rejects(client.complete({ prompt: "x".repeat(100_001) }), RequestTooLargeError);
    await assert.rejects(client.complete({ prompt: "x".repeat(40 << 20) }), RelayError);
  });

  it("too many requests, saying when to come back and with which id to ask", async () => {
    const limited = await clientOf("limited", { requests_per_day: 1 });
    await limited.complete({ prompt: "p" });
    await assert.rejects(limited.complete({ prompt: "p" }), (error) => {
      assert.ok(error instanceof RateLimitError);
      assert.equal(error.status, 429);
      assert.ok((error.retryAfterSeconds ?? 0) > 0);
      assert.match(error.requestId ?? "", /^req_/);
      return true;
    });
  });
});

describe("the drop-in file", () => {
  // Seed 3, word for word.
  const snippet = `import { complete } from "./claudeRelay";
const colors = await complete({ system: "Output only JSON.", prompt: "3 primary colors", outputFormat: "json" });
`;

  it("is current", () => {
    execFileSync(process.execPath, ["scripts/generate.ts", "--check"], { cwd: root });
  });

  it("runs the seed's snippet as written, on Node 20 and on this one", async (t) => {
    const { dropInFile } = buildClients(t);
    const folder = tempFolder(t);
    cpSync(dropInFile, join(folder, "claudeRelay.js"));
    writeFileSync(join(folder, "package.json"), '{"type":"module"}');
    writeFileSync(join(folder, "app.js"), `${snippet}console.log(JSON.stringify(colors));\n`);
    // What every bundler does: Node itself wants the file's ending.
    const hook = `export const resolve = (name, context, next) => next(name === "./claudeRelay" ? name + ".js" : name, context);`;
    const register = `import { register } from "node:module"; register(${JSON.stringify(`data:text/javascript,${encodeURIComponent(hook)}`)});`;
    writeFileSync(join(folder, "bundler.mjs"), register);
    const env = { CLAUDE_RELAY_URL: setting.relay.url, CLAUDE_RELAY_KEY: key };
    for (const node of [findNode20(), process.execPath]) {
      if (node === undefined) {
        t.diagnostic("no Node 20 on the PATH: nodejs.org/en/download");
        continue;
      }
      const args = ["--import", "./bundler.mjs", "app.js"];
      const { stdout } = await promisify(execFile)(node, args, { cwd: folder, env });
      assert.match(JSON.parse(stdout), /You said: 3 primary colors$/);
      const { body } = setting.simulator.log.at(-1) ?? {};
      assert.match(String(body), /Output only JSON\./);
    }
  });

  it("compiles with the snippet in a project of its own, without Node's types", (t) => {
    const folder = tempFolder(t);
    cpSync(join(root, "clients/ts/claudeRelay.ts"), join(folder, "claudeRelay.ts"));
    writeFileSync(join(folder, "app.ts"), `${snippet}export const typed: unknown = colors;\n`);
    const options = "--strict --noEmit --target es2022 --lib es2022,dom --module preserve";
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    const args = [tsc, "--ignoreConfig", ...options.split(" "), "--types", "", "app.ts"];
    execFileSync(process.execPath, args, { cwd: folder, stdio: "pipe" });
    assert.ok(!readFileSync(join(folder, "claudeRelay.ts"), "utf8").includes("import "));
  });
});
