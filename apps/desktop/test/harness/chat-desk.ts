/** The chatting part of the main process at a desk: its methods in hand, its events written down. */
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { DeviceSession, type SecretStore } from "@claude-relay/client/device";
import { createTestStore } from "../../../../test/harness/device-session.ts";
import { tempFolder } from "../../../../test/harness/temp-folder.ts";
import type { AssistantMessage } from "../../src/bridge/conversation.ts";
import type { AppEvent } from "../../src/bridge/protocol.ts";
import { createChatPart } from "../../src/main/chat/chat-part.ts";
import type { ChatMethod, ChatPart, Methods } from "../../src/main/chat-port.ts";
import type { RelayAccess } from "../../src/main/relay/relay-access.ts";
import { systemClock, systemRandom } from "../../src/main/system-ports.ts";

export type Desk = Readonly<{
  chat: ChatPart;
  call: Methods<ChatMethod>;
  store: SecretStore;
  folder: string;
  events: readonly AppEvent[];
  /** The ids of the answers that have ended. */
  ended: () => string[];
  /** How often the session was to look after the relay. */
  relayFailures: () => number;
  /** Resolves with the first event that fits, of those that came or will come. */
  event<Type extends AppEvent["type"]>(
    type: Type,
    fits?: (event: Extract<AppEvent, { type: Type }>) => boolean,
  ): Promise<Extract<AppEvent, { type: Type }>>;
  /** The answer with this id, as it is kept now. */
  reply(conversationId: string, replyId?: string): Promise<AssistantMessage>;
  /** Sends a text in a new conversation and waits for its answer's end. */
  ask(text: string, model?: string): Promise<Asked>;
}>;

export type Asked = Readonly<{ conversationId: string; reply: AssistantMessage }>;

export const haiku = "claude-haiku-4-5";

type DeskOptions = Readonly<{
  relay: RelayAccess | null;
  store?: SecretStore;
  folder?: string;
  now?: () => number;
}>;

export const sitDown = (t: TestContext, options: DeskOptions): Desk => {
  const folder = options.folder ?? tempFolder(t);
  const store = options.store ?? createTestStore();
  const events: AppEvent[] = [];
  const waiting = new Set<(event: AppEvent) => void>();
  let failures = 0;
  const chat = createChatPart({
    relay: () => options.relay,
    store,
    folder,
    emit: (event) => {
      events.push(event);
      for (const check of [...waiting]) {
        check(event);
      }
    },
    relayFailed: () => {
      failures += 1;
    },
    clock: { ...systemClock, ...(options.now !== undefined && { now: options.now }) },
    random: systemRandom,
    log: () => undefined,
  });
  t.after(() => chat.stop());
  const event: Desk["event"] = (type, fits = () => true) =>
    new Promise((resolve) => {
      const check = (one: AppEvent): void => {
        const typed = one as Extract<AppEvent, { type: typeof type }>;
        if (one.type === type && fits(typed)) {
          waiting.delete(check);
          resolve(typed);
        }
      };
      waiting.add(check);
      events.forEach(check);
    });
  const reply: Desk["reply"] = async (id, replyId) => {
    const { messages } = await chat.methods["conversations.get"]({ id });
    const found = messages.findLast(
      (message) =>
        message.role === "assistant" && (replyId === undefined || message.id === replyId),
    );
    assert.ok(found?.role === "assistant", "there is an answer");
    return found;
  };
  return {
    ...{ chat, call: chat.methods, store, folder, events, event, reply },
    ended: () => events.flatMap((one) => (one.type === "reply_ended" ? [one.replyId] : [])),
    relayFailures: () => failures,
    ask: async (text, model = haiku) => {
      const { id } = await chat.methods["conversations.create"]({ model });
      await chat.methods["chat.send"]({ conversationId: id, text });
      const { replyId } = await event("reply_started", (one) => one.conversationId === id);
      await event("reply_ended", (one) => one.replyId === replyId);
      return { conversationId: id, reply: await reply(id) };
    },
  };
};

export type SignIn = Readonly<{
  access: RelayAccess;
  session: DeviceSession;
  /** Every token that the chat said was refused. */
  rejected: readonly string[];
  /** Time passes on this machine, in milliseconds. */
  later(milliseconds: number): void;
}>;

/** A sign-in of its own at this relay, as the app has one. */
export const signIn = (t: TestContext, relayUrl: string, deviceId?: string): SignIn => {
  let passed = 0;
  const session = new DeviceSession({
    ...{ relayUrl, environment: {}, store: createTestStore(), deviceId },
    clock: { now: () => Date.now() + passed, monotonicMs: () => performance.now() + passed },
  });
  t.after(() => session.stop());
  const rejected: string[] = [];
  const access: RelayAccess = {
    relayUrl: session.relayUrl,
    token: (signal) => session.token({ signal }),
    reject: (token) => {
      rejected.push(token);
      session.reject(token);
    },
  };
  return {
    ...{ access, session, rejected },
    later: (milliseconds) => {
      passed += milliseconds;
    },
  };
};

/** How an answer failed. */
export const faultOf = ({ ending }: AssistantMessage) => {
  assert.equal(ending.kind, "failed", JSON.stringify(ending));
  return ending.kind === "failed" ? ending.fault : assert.fail();
};
