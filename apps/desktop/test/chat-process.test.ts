/** Chatting through the real main process: what its window hears, and what its end or death leaves. */
import assert from "node:assert/strict";
import { watch } from "node:fs/promises";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { rowsWhen } from "../../../test/harness/ledger.ts";
import type { Relay } from "../../../test/harness/relay.ts";
import type { AssistantMessage, Conversation } from "../src/bridge/conversation.ts";
import { faultOf } from "./harness/chat-desk.ts";
import { connect, deskOf, relayOf } from "./harness/main-process.ts";
import { type Desk, type Shell, startShell } from "./harness/shell.ts";

const secret = "My heron's name is Ottoline.";

type Places = Readonly<{ relay: Relay; desk: Desk; shell: Shell }>;

const setUp = async (
  t: TestContext,
  env: Readonly<Record<string, string>> = {},
): Promise<Places> => {
  const relay = await relayOf(t);
  const desk = deskOf(t);
  const shell = startShell(t, desk, env);
  await connect(shell, relay.url);
  await shell.connected("ready");
  return { relay, desk, shell };
};

const begin = async (shell: Shell, model: string): Promise<string> => {
  const { id } = await shell.call("conversations.create", { model });
  await shell.call("chat.send", { conversationId: id, text: secret });
  return id;
};

const textOf = ({ events }: Shell): string =>
  events.map((event) => (event.type === "reply_delta" ? event.text : "")).join("");

const hasEnded = ({ events }: Shell): boolean => events.some(({ type }) => type === "reply_ended");

/** Waits until a conversation was written so often. */
const savesOf = async (shell: Shell, id: string, count: number): Promise<void> => {
  let seen = 0;
  for await (const { filename } of watch(join(shell.folder, "conversations"))) {
    seen += filename === `${id}.conversation` ? 1 : 0;
    if (seen === count) {
      return;
    }
  }
};

const lastOf = ({ messages }: Conversation): AssistantMessage => {
  const last = messages.at(-1);
  assert.ok(last?.role === "assistant");
  return last;
};

describe("the main process", { concurrency: 4 }, () => {
  it("tells the window a question's own answer first, then the reply; the log knows no word of either", async (t) => {
    const { shell } = await setUp(t, {
      ANTHROPIC_BASE_URL: "http://127.0.0.1:9",
      ANTHROPIC_API_KEY: "sk-ant-planted",
      ANTHROPIC_LOG: "debug",
      ANTHROPIC_CUSTOM_HEADERS: "x-api-key: planted",
    });
    const id = await begin(shell, "claude-haiku-4-5");
    await shell.until(() => hasEnded(shell));
    const reply = lastOf(await shell.call("conversations.get", { id }));
    assert.match(reply.text, /Ottoline/);
    assert.equal(textOf(shell), reply.text);
    assert.equal(reply.ending.kind, "complete");
    const at = (part: string): number => shell.output.findIndex((line) => line.includes(part));
    assert.ok(at('"role":"user"') > 0 && at('"role":"user"') < at('"reply_started"'));
    assert.ok(at('"reply_started"') < at('"reply_delta"'));
    assert.doesNotMatch(shell.stderr, /Ottoline|simulator|planted/);
    assert.equal(await shell.end(), 0);
  });

  it("killed while an answer streams leaves it as broken off, with what was saved of it each second", async (t) => {
    const { desk, shell, relay } = await setUp(t);
    const id = await begin(shell, "claude-sim-paced:4000:5");
    await shell.until(() => textOf(shell).length > 0);
    const atLeast = textOf(shell);
    // One save may have begun before that text was there; the next has it.
    await savesOf(shell, id, 2);
    await shell.kill();
    const again = startShell(t, desk);
    const { title, messages } = await again.call("conversations.get", { id });
    assert.equal(title, secret);
    assert.equal(messages.length, 2);
    const reply = lastOf(await again.call("conversations.get", { id }));
    assert.equal(faultOf(reply).kind, "broken_off");
    assert.ok(reply.text.startsWith(atLeast) && /^(tick )+$/.test(reply.text));
    assert.ok(textOf(shell).startsWith(reply.text));
    await rowsWhen(relay, ([row]) => row?.ending === "client_left");
    await again.connected("ready");
    await again.call("conversations.set_model", { id, model: "claude-haiku-4-5" });
    await again.call("chat.retry", { conversationId: id });
    await again.until(() => hasEnded(again));
    assert.equal(lastOf(await again.call("conversations.get", { id })).ending.kind, "complete");
    assert.equal(await again.end(), 0);
  });

  it("closed while an answer streams keeps what came, and frees the relay", async (t) => {
    const { desk, shell, relay } = await setUp(t);
    const id = await begin(shell, "claude-sim-paced:4000:5");
    await shell.until(() => textOf(shell).length > 0);
    assert.equal(await shell.end(), 0);
    await rowsWhen(relay, ([row]) => row?.ending === "client_left");
    const again = startShell(t, desk);
    const reply = lastOf(await again.call("conversations.get", { id }));
    assert.deepEqual(reply.ending, { kind: "stopped" });
    assert.equal(reply.text, textOf(shell));
  });

  it("disconnected while an answer streams ends it; the conversation stays", async (t) => {
    const { shell, relay } = await setUp(t);
    const id = await begin(shell, "claude-sim-paced:4000:5");
    await shell.until(() => textOf(shell).length > 0);
    await shell.call("relay.disconnect", {});
    await shell.until(() => hasEnded(shell));
    await rowsWhen(relay, ([row]) => row?.ending === "client_left");
    assert.equal((await shell.call("conversations.list", {})).length, 1);
    await assert.rejects(shell.call("chat.send", { conversationId: id, text: "?" }), {
      code: "not_connected",
    });
    assert.equal(await shell.end(), 0);
  });
});
