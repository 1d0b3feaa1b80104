import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Connection } from "../../bridge/connection.ts";
import type { Conversation } from "../../bridge/conversation.ts";
import type { AppEvent, AppState } from "../../bridge/protocol.ts";
import { reduce } from "./reduce.ts";
import {
  type Action,
  chosenModel,
  initialState,
  isBusy,
  type WindowState,
} from "./window-state.ts";

const relayUrl = "https://relay.example.com";
const app: AppState = {
  appVersion: "1.0.0",
  deviceName: "desk 7",
  connection: { kind: "ready", relayUrl, expiresAt: 9_000 },
  settings: { theme: "system", defaultModel: null },
  notices: [],
  fixedAddress: null,
};
const complete = {
  kind: "complete",
  stopReason: "end_turn",
  usage: { inputTokens: 1, outputTokens: 2 },
} as const;
const talk: Conversation = {
  id: "talk-0001",
  title: "Talk",
  model: "claude-a",
  updatedAt: 1,
  messages: [
    { role: "user", id: "u1", text: "Hi", sentAt: 1 },
    { role: "assistant", id: "a1", text: "Hello", model: "claude-a", sentAt: 2, ending: complete },
  ],
};

const after = (...actions: readonly Action[]): WindowState => actions.reduce(reduce, initialState);
const heard = (event: AppEvent): Action => ({ type: "heard", event, at: 5 });
const connection = (next: Connection): Action =>
  heard({ type: "connection_changed", connection: next });
const opened: readonly Action[] = [
  { type: "listed", conversations: [talk] },
  { type: "started", app },
  { type: "opened", id: talk.id },
  { type: "loaded", conversation: talk },
];
const started = (replyId: string): Action =>
  heard({ type: "reply_started", conversationId: talk.id, replyId, model: "claude-a" });
const delta = (replyId: string, text: string): Action =>
  heard({ type: "reply_delta", conversationId: talk.id, replyId, text });
const asked = { role: "user", id: "provisional-1", text: "More", sentAt: 4 } as const;
const texts = (state: WindowState) =>
  state.loaded[talk.id]?.messages.map(({ role, text }) => `${role}: ${text}`);

describe("an answer", () => {
  it("grows by what comes, behind the user's message, and ends as it is told", () => {
    const during = after(
      ...opened,
      { type: "sending", id: talk.id, message: asked },
      started("a2"),
      delta("a2", "Once "),
      delta("a2", "upon"),
      { type: "sent", id: talk.id, provisionalId: asked.id, message: { ...asked, id: "u2" } },
    );
    assert.deepEqual(texts(during), [
      "user: Hi",
      "assistant: Hello",
      "user: More",
      "assistant: Once upon",
    ]);
    assert.equal(during.loaded[talk.id]?.messages[2]?.id, "u2");
    assert.ok(isBusy(during, talk.id));
    const ended = reduce(
      during,
      heard({ type: "reply_ended", conversationId: talk.id, replyId: "a2", ending: complete }),
    );
    assert.ok(!isBusy(ended, talk.id));
    assert.deepEqual(ended.streaming, {});
  });

  it("is asked for from the moment the message is sent until it begins", () => {
    const sending = after(...opened, { type: "sending", id: talk.id, message: asked });
    assert.ok(isBusy(sending, talk.id));
    const sent = reduce(sending, {
      type: "sent",
      id: talk.id,
      provisionalId: asked.id,
      message: { ...asked, id: "u2" },
    });
    assert.ok(isBusy(sent, talk.id), "the main process has it, and the answer is not there yet");
    assert.equal(reduce(sent, started("a2")).loaded[talk.id]?.isAsking, false);
  });

  it("asked for again takes the place of the one before", () => {
    const again = after(
      ...opened,
      { type: "retrying", id: talk.id },
      started("a2"),
      delta("a2", "Hey"),
    );
    assert.deepEqual(texts(again), ["user: Hi", "assistant: Hey"]);
  });

  it("gets no letters after its end, nor of another answer", () => {
    const state = after(...opened, delta("a1", "!"), delta("a9", "?"));
    assert.deepEqual(texts(state), ["user: Hi", "assistant: Hello"]);
  });

  it("of a conversation that is not loaded is known to be coming", () => {
    const state = after({ type: "listed", conversations: [talk] }, started("a2"), delta("a2", "x"));
    assert.deepEqual(state.streaming, { [talk.id]: "a2" });
    assert.ok(isBusy(state, talk.id));
  });
});

describe("a message that was not taken", () => {
  it("goes away again", () => {
    const state = after(
      ...opened,
      { type: "sending", id: talk.id, message: asked },
      { type: "send_failed", id: talk.id, provisionalId: asked.id },
    );
    assert.deepEqual(texts(state), ["user: Hi", "assistant: Hello"]);
    assert.ok(!isBusy(state, talk.id));
  });
});

describe("a conversation told again", () => {
  it("does not undo an answer that this window heard from its first letter", () => {
    const state = after(...opened, started("a2"), delta("a2", "new"), {
      type: "loaded",
      conversation: talk,
    });
    assert.equal(texts(state)?.at(-1), "assistant: new");
  });

  it("replaces an answer of which this window may have missed letters", () => {
    const streaming = {
      ...talk.messages[1],
      id: "a2",
      text: "Half",
      ending: { kind: "streaming" },
    } as Conversation["messages"][number];
    const half: Conversation = { ...talk, messages: [...talk.messages.slice(0, 1), streaming] };
    const whole: Conversation = {
      ...talk,
      messages: [...talk.messages.slice(0, 1), { ...streaming, text: "Half and whole" }],
    };
    const state = after({ type: "loaded", conversation: half }, delta("a2", " whole"), {
      type: "loaded",
      conversation: whole,
    });
    assert.equal(texts(state)?.at(-1), "assistant: Half and whole");
  });
});

describe("the list of conversations", () => {
  it("without the open one closes it and forgets its words", () => {
    const state = after(...opened, heard({ type: "conversations_changed", conversations: [] }));
    assert.equal(state.openId, null);
    assert.deepEqual(state.loaded, {});
  });

  it("that does not know a just begun conversation yet leaves it open", () => {
    const begun = { ...talk, id: "begun-001", messages: [] };
    const state = after(
      ...opened,
      { type: "loaded", conversation: begun },
      { type: "opened", id: begun.id },
      heard({ type: "conversations_changed", conversations: [talk] }),
    );
    assert.equal(state.openId, begun.id);
    assert.ok(state.loaded[begun.id]);
  });
});

describe("the welcome screen", () => {
  const signedOut: Connection = { kind: "signed_out", relayUrl, message: "No.", wantsCode: true };

  it("comes on first launch, stays while connecting fails, and goes when the relay lets us in", () => {
    const first = after({ type: "started", app: { ...app, connection: { kind: "unconfigured" } } });
    assert.ok(first.isWelcoming);
    const steps: readonly Connection[] = [
      { kind: "connecting", relayUrl },
      { kind: "offline", relayUrl, message: "?", retryAt: 1, canChat: false },
      { kind: "waiting_for_approval", relayUrl, deviceId: "d", fingerprint: "f" },
    ];
    const waiting = steps.map(connection).reduce(reduce, first);
    assert.ok(waiting.isWelcoming);
    assert.ok(!reduce(waiting, connection(app.connection)).isWelcoming);
  });

  it("does not hide conversations when the device is signed out", () => {
    assert.ok(!after(...opened, connection(signedOut)).isWelcoming);
    assert.ok(after({ type: "started", app }, connection(signedOut)).isWelcoming);
  });

  it("knows what was heard of the connection before the first state came", () => {
    const state = after(connection(signedOut), { type: "started", app });
    assert.deepEqual(state.app?.connection, signedOut);
    assert.ok(state.isWelcoming);
  });
});

describe("the model of the next message", () => {
  const models = [
    { id: "claude-a", displayName: "A" },
    { id: "claude-b", displayName: "B" },
  ];
  const listed: Action = { type: "models_listed", models };

  it("of a new conversation is the one chosen, else the default, else the relay's first", () => {
    const defaultModel = (model: string): Action => ({
      type: "settings_changed",
      settings: { theme: "system", defaultModel: model },
    });
    const start: readonly Action[] = [{ type: "started", app }, listed];
    assert.equal(chosenModel(after(...start)), "claude-a");
    assert.equal(chosenModel(after(...start, defaultModel("claude-b"))), "claude-b");
    assert.equal(chosenModel(after(...start, defaultModel("claude-gone"))), "claude-a");
    const chosen = after(...start, defaultModel("claude-a"), {
      type: "model_chosen",
      id: null,
      model: "claude-b",
    });
    assert.equal(chosenModel(chosen), "claude-b");
  });

  it("of an old conversation stays, also when it is no longer allowed", () => {
    const state = after(...opened, { type: "models_listed", models: models.slice(1) });
    assert.equal(chosenModel(state), "claude-a");
  });
});

describe("a notice", () => {
  it("is shown once however often it is told, until it is dismissed", () => {
    const notice = heard({ type: "notice", message: "No keychain." });
    const state = after({ type: "started", app }, notice, notice);
    assert.deepEqual(state.app?.notices, ["No keychain."]);
    const dismissed = reduce(state, { type: "notice_dismissed", notice: "No keychain." });
    assert.deepEqual(dismissed.app?.notices, []);
    const again = { ...app, notices: ["No keychain.", "New."] };
    const caughtUp = reduce(dismissed, { type: "started", app: again });
    assert.deepEqual(caughtUp.app?.notices, ["New."]);
  });
});
