import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { CallError } from "../../bridge/call-error.ts";
import type { Conversation } from "../../bridge/conversation.ts";
import type { AppEvent, AppState, Bridge, Method } from "../../bridge/protocol.ts";
import { createController } from "./controller.ts";
import { createStore } from "./store.ts";
import { isBusy } from "./window-state.ts";

const relayUrl = "https://relay.example.com";
const app: AppState = {
  appVersion: "1.0.0",
  deviceName: "desk 7",
  connection: { kind: "ready", relayUrl, expiresAt: 9_000 },
  settings: { theme: "system", defaultModel: null },
  notices: [],
  fixedAddress: null,
};
const talk: Conversation = {
  id: "talk-0001",
  title: "Talk",
  model: "claude-a",
  updatedAt: 1,
  messages: [],
};

type Answers = Partial<Record<Method, unknown>>;

/** A window whose main process gives `answers`; an Error among them is thrown. */
const windowWith = (answers: Answers = {}) => {
  const all: Answers = {
    "state.get": app,
    "conversations.list": [talk],
    "conversations.get": talk,
    "conversations.create": talk,
    "models.list": [{ id: "claude-a", displayName: "A" }],
    "usage.get": { today: {}, budgets: [] },
    "chat.send": { role: "user", id: "u1", text: "Hi", sentAt: 1 },
    ...answers,
  };
  const asked: string[] = [];
  const listeners: ((event: AppEvent) => void)[] = [];
  const bridge: Bridge = {
    call: async (method) => {
      asked.push(method);
      const answer = all[method] ?? null;
      if (answer instanceof Error) {
        throw answer;
      }
      return answer as never;
    },
    on: (listener) => {
      listeners.push(listener);
      return () => undefined;
    },
  };
  const store = createStore((tell) => tell());
  let pauses = 0;
  const wait = async () => {
    pauses += 1;
    if (pauses === 3) {
      all["state.get"] = app;
    }
  };
  const controller = createController({ bridge, store, now: () => 7, wait });
  const tell = (event: AppEvent) => {
    for (const listener of listeners) {
      listener(event);
    }
  };
  return { controller, store, asked, tell, answers: all };
};

const fault = new CallError({ code: "failed", message: "It is full." });

describe("the window's start", () => {
  it("asks for models and usage only when the relay let it in", async () => {
    const inside = windowWith();
    await inside.controller.start();
    assert.ok(inside.asked.includes("models.list") && inside.asked.includes("usage.get"));
    const outside = windowWith({ "state.get": { ...app, connection: { kind: "unconfigured" } } });
    await outside.controller.start();
    assert.deepEqual(outside.asked, ["conversations.list", "state.get"]);
    outside.tell({ type: "connection_changed", connection: app.connection });
    assert.deepEqual(outside.asked.slice(2), ["models.list", "usage.get"]);
  });

  it("that failed says why, and can be tried again", async () => {
    const { controller, store, answers } = windowWith({ "state.get": fault });
    await controller.start();
    assert.equal(store.get().startFault, "It is full.");
    answers["state.get"] = app;
    await controller.start();
    assert.equal(store.get().startFault, null);
    assert.deepEqual(store.get().app, app);
  });
});

describe("a change of the connection that is heard together with the app's state", () => {
  it("is not undone by it", async () => {
    const connecting: AppState = { ...app, connection: { kind: "connecting", relayUrl } };
    const { controller, store, tell, answers } = windowWith({ "state.get": connecting });
    await controller.start();
    const connection = {
      kind: "signed_out",
      relayUrl,
      message: "A code.",
      wantsCode: true,
    } as const;
    const { promise: caughtUp, resolve } = Promise.withResolvers<AppState>();
    answers["state.get"] = caughtUp;
    tell({ type: "notice", message: "The keychain stayed locked." });
    await turn();
    resolve(connecting);
    tell({ type: "connection_changed", connection });
    await turn();
    assert.deepEqual(store.get().app?.connection, connection);
    assert.deepEqual(store.get().app?.notices, ["The keychain stayed locked."]);
  });
});

describe("a first message", () => {
  it("begins a conversation and opens it", async () => {
    const { controller, store, asked } = windowWith();
    await controller.start();
    controller.openNew();
    assert.deepEqual(await controller.send("Hi"), { isTaken: true, conversationId: talk.id });
    assert.equal(store.get().openId, talk.id);
    assert.deepEqual(asked.slice(-2), ["conversations.create", "chat.send"]);
    assert.equal(store.get().loaded[talk.id]?.messages[0]?.id, "u1");
  });

  it("that is not taken is given back, with the reason", async () => {
    const { controller, store } = windowWith({ "chat.send": fault });
    await controller.start();
    assert.deepEqual(await controller.send("Hi"), { isTaken: false, conversationId: talk.id });
    assert.deepEqual(store.get().loaded[talk.id]?.messages, []);
    assert.equal(store.get().fault, "It is full.");
    assert.ok(!isBusy(store.get(), talk.id));
  });

  it("is not sent when no conversation can be begun", async () => {
    const { controller, asked } = windowWith({ "conversations.create": fault });
    await controller.start();
    assert.deepEqual(await controller.send("Hi"), { isTaken: false, conversationId: null });
    assert.ok(!asked.includes("chat.send"));
  });
});

describe("an answer's end", () => {
  const ended = (replyId: string): AppEvent => ({
    type: "reply_ended",
    conversationId: talk.id,
    replyId,
    ending: { kind: "stopped" },
  });

  it("asks for the conversation again only when its beginning was not heard", async () => {
    const { controller, asked, tell } = windowWith();
    await controller.start();
    await controller.open(talk.id);
    tell({ type: "reply_started", conversationId: talk.id, replyId: "a1", model: "claude-a" });
    const before = asked.length;
    tell(ended("a1"));
    assert.equal(asked.length, before);
    tell(ended("a2"));
    assert.deepEqual(asked.slice(before), ["conversations.get"]);
  });
});

describe("a main process that ended and is started again", () => {
  it("is asked until it answers, and what became of the answer that was coming", async () => {
    const { controller, store, asked, tell, answers } = windowWith();
    await controller.start();
    await controller.open(talk.id);
    tell({ type: "reply_started", conversationId: talk.id, replyId: "a1", model: "claude-a" });
    assert.ok(isBusy(store.get(), talk.id));
    const broken = {
      role: "assistant",
      id: "a1",
      text: "Half",
      model: "claude-a",
      sentAt: 1,
      ending: { kind: "failed", fault: { kind: "broken_off", message: "", retryAt: null } },
    };
    answers["state.get"] = fault;
    answers["conversations.get"] = { ...talk, messages: [broken] };
    const reloaded = new Promise<void>((done) => {
      store.subscribe(() => isBusy(store.get(), talk.id) || done());
    });
    tell({ type: "notice", message: "It is being started again." });
    await reloaded;
    assert.deepEqual(store.get().loaded[talk.id]?.messages, [broken]);
    assert.equal(asked.filter((method) => method === "state.get").length, 5);
  });
});

describe("a retry that is not taken", () => {
  it("leaves the answer and is not in the way of the next", async () => {
    const { controller, store } = windowWith({ "chat.retry": fault });
    await controller.start();
    await controller.open(talk.id);
    await controller.retry();
    assert.ok(!isBusy(store.get(), talk.id));
    assert.equal(store.get().fault, "It is full.");
  });
});

describe("a conversation that is gone", () => {
  it("is not left open empty", async () => {
    const { controller, store } = windowWith({ "conversations.get": fault });
    await controller.start();
    await controller.open(talk.id);
    assert.equal(store.get().openId, null);
  });
});

describe("a relay's address that is refused", () => {
  it("comes back as words for beside the form", async () => {
    const { controller, store } = windowWith({ "relay.connect": fault });
    assert.equal(await controller.connect("ftp://x", ""), "It is full.");
    assert.equal(store.get().fault, null);
  });
});
