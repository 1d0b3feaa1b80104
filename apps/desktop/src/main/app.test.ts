/** The two halves of the app together, in this process: a relay that does as it is told, and time that stands still. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { createMemoryStore } from "@claude-relay/client/device";
import { tempFolder } from "../../../../test/harness/temp-folder.ts";
import { FakeTime } from "../../test/harness/fake-time.ts";
import type { AppEvent } from "../bridge/protocol.ts";
import { startApp } from "./app.ts";
import type { ChatPart, ChatPartOptions } from "./chat-port.ts";
import type { OpenedStore } from "./shell/shell-keychain.ts";
import { systemRandom } from "./system-ports.ts";

/** Lets every device in, and is well or not. */
const startRelay = async (t: TestContext) => {
  const relay = { url: "", isWell: true, asked: [] as string[] };
  const server = createServer((request, response) => {
    const path = request.url ?? "";
    relay.asked.push(path);
    const token = {
      wrapper_token: "t".repeat(40),
      proxy_base_url: relay.url,
      expires_at: new Date(Date.now() + 86_400_000).toISOString(),
    };
    const healthz = { status: "ok", timestamp: new Date().toISOString() };
    response
      .writeHead(relay.isWell ? 200 : 503)
      .end(JSON.stringify(path === "/healthz" ? healthz : token));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  t.after(() => server.closeAllConnections());
  relay.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return relay;
};

const start = (t: TestContext, environment: Readonly<Record<string, string>> = {}) => {
  const home = tempFolder(t);
  const time = new FakeTime();
  const events: AppEvent[] = [];
  const opening = Promise.withResolvers<OpenedStore>();
  const chat = { made: [] as ChatPartOptions[], changes: 0, stopped: 0 };
  const createChat = (options: ChatPartOptions): ChatPart => {
    chat.made.push(options);
    return {
      methods: { "models.list": async () => [] } as unknown as ChatPart["methods"],
      notices: () => ["from the chat"],
      relayChanged: () => {
        chat.changes += 1;
      },
      stop: async () => {
        chat.stopped += 1;
      },
    };
  };
  const app = startApp({
    appVersion: "1.2.3",
    deviceName: "desk 7",
    environment,
    configFolder: home,
    folder: join(home, "desktop"),
    store: opening.promise,
    createChat,
    emit: (event) => events.push(event),
    log: () => undefined,
    clock: time.clock,
    timers: time.timers,
    random: systemRandom,
  });
  t.after(() => app.stop());
  const call = async (method: string, params: unknown = {}) => {
    const answer = await app.answer({ type: "call", id: 1, method, params });
    assert.ok(answer.type === "reply", JSON.stringify(answer));
    // biome-ignore lint/suspicious/noExplicitAny: a test looks into many shapes
    return answer.result as any;
  };
  const open = (notice: string | null = null): void =>
    opening.resolve({ store: createMemoryStore(), notice });
  return { app, call, open, time, events, chat };
};

/** Waits for what the network brings. */
const until = async (isSo: () => boolean): Promise<void> => {
  const limit = AbortSignal.timeout(20_000);
  while (!isSo()) {
    limit.throwIfAborted();
    await turn();
  }
};

describe("the app", () => {
  it("answers for its state at once, and for the chat once the keychain is open", async (t) => {
    const { call, open, chat } = start(t);
    const models = call("models.list");
    assert.equal((await call("state.get")).appVersion, "1.2.3");
    assert.equal(chat.made.length, 0);
    open();
    assert.deepEqual(await models, []);
    assert.equal(chat.made[0]?.relay(), null);
  });

  it("tells of a notice by the state, or by an event to a window that has asked before", async (t) => {
    const early = start(t);
    early.open("no keychain");
    await early.call("models.list");
    assert.deepEqual((await early.call("state.get")).notices, ["no keychain", "from the chat"]);
    assert.deepEqual(early.events, []);
    const late = start(t);
    assert.deepEqual((await late.call("state.get")).notices, []);
    late.open("no keychain");
    await late.call("models.list");
    assert.deepEqual(late.events, [{ type: "notice", message: "no keychain" }]);
  });

  it("when it is connected says so, and that models and usage are worth asking for", async (t) => {
    const relay = await startRelay(t);
    const { call, open, events, chat } = start(t);
    open();
    await call("relay.connect", { address: relay.url });
    assert.deepEqual(
      events.map((event) =>
        event.type === "connection_changed" ? event.connection.kind : event.type,
      ),
      ["connecting", "ready", "models_changed", "usage_changed"],
    );
    const access = chat.made[0]?.relay();
    assert.equal(access?.relayUrl, relay.url);
    assert.equal(await access?.token(), "t".repeat(40));
  });

  it("tells the chat when the relay is another one, and not when it is the same", async (t) => {
    const [relay, other] = [await startRelay(t), await startRelay(t)];
    const { call, open, chat } = start(t);
    open();
    await call("relay.connect", { address: relay.url });
    assert.equal(chat.changes, 1);
    await call("relay.connect", { address: relay.url });
    assert.equal(chat.changes, 1);
    await call("relay.connect", { address: other.url });
    assert.equal(chat.changes, 2);
    await call("relay.disconnect");
    assert.equal(chat.changes, 3);
    assert.equal(chat.made[0]?.relay(), null);
  });

  it("looks after the relay when the window comes to the front, and when a request failed", async (t) => {
    const relay = await startRelay(t);
    const { app, call, open, time, events, chat } = start(t, { CLAUDE_RELAY_URL: relay.url });
    open();
    await until(() => events.some(({ type }) => type === "usage_changed"));
    await call("relay.retry");
    relay.asked.length = 0;
    app.woke();
    await time.pass(16_000);
    assert.deepEqual(relay.asked, [], "it was looked at a moment ago");
    app.woke();
    await until(() => relay.asked.length > 0);
    await call("relay.retry");
    relay.isWell = false;
    chat.made[0]?.relayFailed();
    await until(() => {
      const last = events.at(-1);
      return last?.type === "connection_changed" && last.connection.kind === "offline";
    });
  });

  it("renews at once a token that was refused, and not only with the next request", async (t) => {
    const relay = await startRelay(t);
    const { call, open, time, chat } = start(t);
    open();
    await call("relay.connect", { address: relay.url });
    const access = chat.made[0]?.relay();
    const token = await access?.token();
    // One that is younger is not given up for one refusal.
    await time.pass(11_000);
    relay.asked.length = 0;
    access?.reject(token ?? "");
    // Which upstream it has is asked in the background.
    const asked = (): string[] => relay.asked.filter((path) => path !== "/health");
    await until(() => asked().length > 0);
    assert.deepEqual(asked(), ["/refresh"]);
  });

  it("ends the chat before it lets go of the relay", async (t) => {
    const { app, open, chat } = start(t);
    open();
    await turn();
    await app.stop();
    assert.equal(chat.stopped, 1);
  });
});
