/** The main process before a relay that lies, floods and quotes: it stays up, and nothing kept is lost. */
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import type { AssistantMessage } from "../src/bridge/conversation.ts";
import { faultOf, haiku } from "./harness/chat-desk.ts";
import {
  type Answer,
  eventStream,
  type HostileRelay,
  hostileToken,
  json,
  startHostileRelay,
} from "./harness/hostile-relay.ts";
import { connect, deskOf, fault } from "./harness/main-process.ts";
import { type Desk, type Shell, startShell } from "./harness/shell.ts";

type Places = Readonly<{ relay: HostileRelay; desk: Desk; shell: Shell }>;

const setUp = async (t: TestContext): Promise<Places> => {
  const relay = await startHostileRelay(t);
  const desk = deskOf(t);
  const shell = startShell(t, desk);
  await connect(shell, relay.url);
  await shell.connected("ready");
  return { relay, desk, shell };
};

/** Asks in a new conversation and waits for the end of what comes. */
const ask = async ({ shell, relay }: Places, answer: Answer): Promise<AssistantMessage> => {
  relay.answers.set("/v1/messages", answer);
  const { id } = await shell.call("conversations.create", { model: haiku });
  await shell.call("chat.send", { conversationId: id, text: "Hello?" });
  const isIts = (conversationId: string): boolean => conversationId === id;
  await shell.until(() =>
    shell.events.some((event) => event.type === "reply_ended" && isIts(event.conversationId)),
  );
  const reply = (await shell.call("conversations.get", { id })).messages.at(-1);
  assert.ok(reply?.role === "assistant");
  return reply;
};

/** How many conversations are there when the app is started again. */
const keptAfterRestart = async (t: TestContext, { desk, shell }: Places): Promise<number> => {
  assert.equal(await shell.end(), 0);
  const again = startShell(t, desk);
  const kept = await again.call("conversations.list", {});
  assert.equal(await again.end(), 0);
  return kept.length;
};

const refusal = (message: string, headers: Readonly<Record<string, string>> = {}): Answer =>
  json({ type: "error", error: { type: "api_error", message } }, 429, headers);

const delta = (text: unknown) => ({
  ...{ type: "content_block_delta", index: 0, delta: { type: "text_delta", text } },
});

const answerWith = (usage: object, stop_reason: unknown, text: unknown) => [
  { type: "message_start", message: { usage } },
  delta("Hi"),
  delta(text),
  { type: "message_delta", delta: { stop_reason }, usage },
  { type: "message_stop" },
];

/** Writes the same again and again, until whoever asked is gone. */
const endless =
  (status: number, chunk: string, onLeft: () => void): Answer =>
  (_, response) => {
    response.once("close", onLeft);
    response.writeHead(status, { "content-type": "text/event-stream" });
    const go = (): void => {
      while (!response.destroyed && response.write(chunk)) {
        // Until the pipe is full.
      }
    };
    response.on("drain", go);
    go();
  };

describe("a relay that is not to be trusted", { concurrency: 4 }, () => {
  it("loses no conversation with figures, reasons and texts that are none", async (t) => {
    const places = await setUp(t);
    const odd = [-1, 1.5, null, "9", 1e300, { a: 1 }];
    for (const value of odd) {
      const usage = { input_tokens: value, output_tokens: value, cache_read_input_tokens: value };
      const text = typeof value === "string" ? "" : value;
      const reply = await ask(places, eventStream(answerWith(usage, value, text)));
      assert.equal(reply.text, "Hi");
      const stopReason = typeof value === "string" ? value : "";
      const none = { inputTokens: 0, outputTokens: 0 };
      assert.deepEqual(reply.ending, { kind: "complete", stopReason, usage: none });
    }
    assert.equal(await keptAfterRestart(t, places), odd.length);
  });

  it("loses no conversation with a time before all times", async (t) => {
    const places = await setUp(t);
    const late = { "retry-after": "Mon, 01 Jan 1900 00:00:00 GMT" };
    assert.equal(faultOf(await ask(places, refusal("Later.", late))).retryAt, null);
    const capped = {
      ...{ "x-relay-error": "over_budget", "x-relay-budget-reset": "0001-01-01T00:00:00Z" },
    };
    assert.equal(faultOf(await ask(places, refusal("No.", capped))).retryAt, null);
    assert.equal(await keptAfterRestart(t, places), 2);
  });

  it("cannot bring a part of a token before the window by having it cut", async (t) => {
    const places = await setUp(t);
    const message = `${"x".repeat(480)}${hostileToken}`;
    const before = faultOf(await ask(places, refusal(message)));
    assert.match(before.message, /^x+\[token\]$/);
    const error = { type: "error", error: { type: "api_error", message } };
    const inStream = faultOf(await ask(places, eventStream([error])));
    assert.match(inStream.message, /^x+\[token\]$/);
    assert.ok(
      !places.shell.output.some((line) => line.includes('event"') && /hostile-relay/.test(line)),
    );
  });

  const piece = `data: ${JSON.stringify(delta("a".repeat(50_000)))}\n\n`;
  const floods: readonly [what: string, status: number, chunk: string][] = [
    ["a line", 200, "a".repeat(65_536)],
    ["an event", 200, "data: a\n".repeat(8_000)],
    ["an answer", 200, `event: content_block_delta\n${piece}`],
    ["a refusal", 500, "a".repeat(65_536)],
  ];
  for (const [what, status, chunk] of floods) {
    it(`fills no memory with ${what} that does not end`, async (t) => {
      const left = Promise.withResolvers<void>();
      const places = await setUp(t);
      const reply = await ask(places, endless(status, chunk, left.resolve));
      assert.equal(reply.ending.kind, "failed");
      assert.ok(reply.text.length < 10_000_000);
      await left.promise;
    });
  }

  it("lists no more models than there can be, under names that can be shown", async (t) => {
    const { relay, shell } = await setUp(t);
    let pages = 0;
    relay.answers.set("/v1/models", (request, response) => {
      pages += 1;
      const data = Array.from({ length: 30_000 }, (_, at) => ({
        ...{ id: `m-${pages}-${at}`, display_name: `Claude\u202e\u001b[31m ${"x".repeat(30)}` },
      }));
      const [first] = data;
      const hidden = { ...first, id: "m\u202e\u0000" };
      const longest = { id: "m-long", display_name: "x".repeat(1_000_000) };
      const all = [hidden, longest, ...data];
      json({ data: all, has_more: true, last_id: `m-${pages}-29999` })(request, response);
    });
    const models = await shell.call("models.list", {});
    assert.equal(models.length, 2000);
    assert.equal(pages, 1);
    for (const { id, displayName } of models) {
      assert.match(`${id}${displayName}`, /^[\x20-\x7e]{1,520}$/);
    }
  });

  it("is asked once for its models by a window that asks a thousand times", async (t) => {
    const { relay, shell } = await setUp(t);
    const list = { data: [{ id: haiku }], has_more: false, last_id: haiku };
    relay.answers.set("/v1/models", (request, response) => {
      // Answered when all the calls are there: the app answers this one only after them.
      void shell.call("state.get", {}).then(() => json(list)(request, response));
    });
    const calls = Array.from({ length: 1000 }, () => shell.call("models.list", {}));
    await Promise.all(calls);
    assert.equal(relay.asked.filter((path) => path === "GET /v1/models").length, 1);
  });

  it("shows budgets by the hundred and not by the thousand, on one line each", async (t) => {
    const { relay, shell } = await setUp(t);
    const nothing = { cache_read_input_tokens: 0, cache_creation_5m_input_tokens: 0 };
    const totals = {
      ...{ requests: 1e308, input_tokens: 1e308, output_tokens: 0, cost_micro_usd: 1e308 },
      ...{ ...nothing, cache_creation_1h_input_tokens: 0 },
    };
    const budget = {
      ...{ scope: "device", unit: "micro_usd", window: "day\u202e\u001b[31m", limit: -1e308 },
      ...{ remaining: 1e308, remaining_percent: -1e308, resets_at: "never" },
    };
    relay.answers.set("/admin/usage", json({ totals }));
    relay.answers.set("/admin/budgets", json({ data: Array(5000).fill(budget) }));
    const { budgets } = await shell.call("usage.get", {});
    assert.equal(budgets.length, 100);
    const [{ window, remainingPercent, resetsAt } = assert.fail()] = budgets;
    assert.deepEqual([window, remainingPercent, resetsAt], ["day [31m", 0, null]);
  });

  it("sends a caller on in vain: the app says it and stays as it is", async (t) => {
    const { relay, shell } = await setUp(t);
    const elsewhere = await startHostileRelay(t);
    const away: Answer = (_, response) => {
      response.writeHead(307, { location: `${elsewhere.url}/v1/models` }).end();
    };
    for (const path of ["/v1/models", "/admin/usage", "/admin/budgets", "/healthz"]) {
      relay.answers.set(path, away);
    }
    await assert.rejects(shell.call("models.list", {}), fault("failed", /cannot be reached/));
    await assert.rejects(shell.call("usage.get", {}), fault("failed", /cannot be reached/));
    await assert.rejects(connect(shell, relay.url), fault("failed", /not followed/));
    assert.deepEqual(elsewhere.asked, []);
  });
});
