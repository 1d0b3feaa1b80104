import type { ReplyEnding } from "../../bridge/conversation.ts";
import type { Params, Results } from "../../bridge/protocol.ts";
import type { ChatMethod, ChatPart, ChatPartOptions, Methods } from "../chat-port.ts";
import type { Conversations } from "../conversations/conversations.ts";
import { type KeptConversation, shown } from "../conversations/kept-conversation.ts";
import { openConversations } from "../conversations/open-conversations.ts";
import { Models } from "../relay-api/models.ts";
import { createRelayReader } from "../relay-api/relay-reader.ts";
import { readUsage } from "../relay-api/usage.ts";
import { systemTimers } from "../system-ports.ts";
import { Chat } from "./chat.ts";

/** When the relay has counted an answer that has just ended. */
const countedMs = 300;

type Opened = Readonly<{ conversations: Conversations; chat: Chat }>;

/** Everything about chatting: conversations, answers, models, usage. Never throws. */
export const createChatPart = (options: ChatPartOptions): ChatPart => {
  const { relay, emit, relayFailed, clock } = options;
  const read = createRelayReader(relay, relayFailed);
  const models = new Models({ relay, read, emit, clock });
  const notices: string[] = [];
  const opening = openAll(options, models, (message) => {
    notices.push(message);
    emit({ type: "notice", message });
  });
  return {
    methods: {
      "models.list": () => models.list(),
      "usage.get": () => readUsage(read, clock),
      ...conversationMethods(opening),
      ...chatMethods(opening),
    },
    notices: () => notices,
    relayChanged: () => {
      models.forget();
      void opening.then(({ chat }) => chat.stopAll());
    },
    stop: async () => {
      const { chat, conversations } = await opening;
      await chat.stopAll();
      await conversations.flush();
    },
  };
};

const openAll = async (
  options: ChatPartOptions,
  models: Models,
  onNotice: (message: string) => void,
): Promise<Opened> => {
  const { relay, emit, relayFailed, store, folder, clock, random } = options;
  const { timers = systemTimers } = options;
  const conversations = await openConversations({
    ...{ store, folder, clock, timers, random, emit, onNotice },
  });
  const onEnded = (ending: ReplyEnding): void => {
    timers.after(countedMs, () => emit({ type: "usage_changed" }));
    const fault = ending.kind === "failed" ? ending.fault.kind : null;
    if (fault === "offline" || fault === "broken_off") {
      relayFailed();
    }
    if (fault === "model_denied") {
      models.refresh();
    }
  };
  const maxTokensOf = (model: string): number => models.maxTokensOf(model);
  const chat = new Chat({
    ...{ conversations, relay, emit, maxTokensOf, onEnded, clock, timers, random },
  });
  return { conversations, chat };
};

type Some<Prefix extends string> = Methods<Extract<ChatMethod, `${Prefix}.${string}`>>;

const conversationMethods = (opening: Promise<Opened>): Some<"conversations"> => {
  const change = async (
    id: string,
    with_: (conversation: KeptConversation) => KeptConversation,
  ): Promise<null> => {
    const { conversations } = await opening;
    await conversations.get(id);
    conversations.change(id, with_);
    await conversations.saved(id);
    return null;
  };
  return {
    "conversations.list": async () => (await opening).conversations.list(),
    "conversations.get": async ({ id }) => shown(await (await opening).conversations.get(id)),
    "conversations.create": async ({ model }) => shown((await opening).conversations.create(model)),
    "conversations.rename": ({ id, title }) =>
      change(id, (conversation) => ({ ...conversation, title: title.trim(), isNamed: true })),
    "conversations.set_model": ({ id, model }) =>
      change(id, (conversation) => ({ ...conversation, model })),
    "conversations.delete": async ({ id }) => {
      const { conversations, chat } = await opening;
      await chat.stop(id);
      await conversations.remove(id);
      // Of an answer that was asked for in between nobody would ever hear.
      await chat.stop(id);
      return null;
    },
  };
};

const chatMethods = (opening: Promise<Opened>): Some<"chat"> => ({
  "chat.send": async ({ conversationId, text }: Params<"chat.send">) =>
    (await opening).chat.send(conversationId, text),
  "chat.stop": async ({ conversationId }): Promise<Results["chat.stop"]> => {
    await (await opening).chat.stop(conversationId);
    return null;
  },
  "chat.retry": async ({ conversationId }) => {
    await (await opening).chat.retry(conversationId);
    return null;
  },
});
