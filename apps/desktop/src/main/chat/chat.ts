import type { SessionClock, SessionRandom, SessionTimers } from "@claude-relay/client/device";
import { CallError } from "../../bridge/call-error.ts";
import type {
  AssistantMessage,
  ChatMessage,
  ReplyEnding,
  UserMessage,
} from "../../bridge/conversation.ts";
import type { AppEvent } from "../../bridge/protocol.ts";
import type { Conversations } from "../conversations/conversations.ts";
import type { KeptConversation } from "../conversations/kept-conversation.ts";
import { titleOf } from "../conversations/title.ts";
import type { CurrentRelay, RelayAccess } from "../relay/relay-access.ts";
import { askRelay } from "./ask-relay.ts";
import { turnsOf } from "./message-history.ts";
import { Reply } from "./reply.ts";

type Options = Readonly<{
  conversations: Conversations;
  relay: CurrentRelay;
  emit: (event: AppEvent) => void;
  /** The longest answer to ask a model for, in tokens. */
  maxTokensOf: (model: string) => number;
  /** Told how each answer ended. */
  onEnded: (ending: ReplyEnding, model: string) => void;
  clock: SessionClock;
  timers: SessionTimers;
  random: SessionRandom;
}>;

/** Sends what the user says, and brings the answers: one at a time in each conversation. */
export class Chat {
  readonly #options: Options;
  readonly #running = new Map<string, Reply>();

  constructor(options: Options) {
    this.#options = options;
  }

  /** @throws CallError `not_found`, `busy`, `not_connected`, `invalid_params` */
  async send(conversationId: string, text: string): Promise<UserMessage> {
    if (text.trim() === "") {
      throw new CallError({ code: "invalid_params", message: "There is nothing to send." });
    }
    await this.#options.conversations.get(conversationId);
    const { conversation, access } = this.#demandFree(conversationId);
    const { messages, isNamed, title } = conversation;
    const sentAt = this.#options.clock.now();
    const message: UserMessage = { role: "user", id: this.#newId(), text, sentAt };
    this.#answer(access, {
      ...conversation,
      title: isNamed || messages.length > 0 ? title : titleOf(text),
      messages: [...messages, message],
    });
    return message;
  }

  /** @throws CallError as `send`, and `failed` when nothing was asked yet */
  async retry(conversationId: string): Promise<void> {
    await this.#options.conversations.get(conversationId);
    const { conversation, access } = this.#demandFree(conversationId);
    const { messages } = conversation;
    const asked = messages.at(-1)?.role === "assistant" ? messages.slice(0, -1) : messages;
    if (asked.length === 0) {
      throw new CallError({ code: "failed", message: "Nothing was asked here yet." });
    }
    this.#answer(access, { ...conversation, messages: asked });
  }

  /** Resolves when the answer has ended; nothing happens when none is coming. */
  async stop(conversationId: string): Promise<void> {
    await this.#running.get(conversationId)?.stop();
  }

  async stopAll(): Promise<void> {
    await Promise.all([...this.#running.values()].map((reply) => reply.stop()));
  }

  /** A loaded conversation in which no answer is coming, and the relay to ask. */
  #demandFree(
    conversationId: string,
  ): Readonly<{ conversation: KeptConversation; access: RelayAccess }> {
    const conversation = this.#options.conversations.now(conversationId);
    if (conversation === undefined) {
      throw new CallError({ code: "not_found", message: "This conversation was deleted." });
    }
    if (this.#running.has(conversationId)) {
      const message = "An answer is still coming in this conversation. Stop it first.";
      throw new CallError({ code: "busy", message });
    }
    const access = this.#options.relay();
    if (access === null) {
      const message = "This device is not connected to a relay.";
      throw new CallError({ code: "not_connected", message });
    }
    return { conversation, access };
  }

  /** Has the last question of `asked` answered. */
  #answer(access: RelayAccess, asked: KeptConversation): void {
    const { conversations, emit, clock, timers, maxTokensOf, onEnded } = this.#options;
    const { id: conversationId, model, messages } = asked;
    const replyId = this.#newId();
    const about = { conversationId, replyId };
    const sentAt = clock.now();
    const ending = { kind: "streaming" } as const;
    const empty: AssistantMessage = {
      ...{ role: "assistant", id: replyId, text: "", model, sentAt, ending },
    };
    conversations.change(conversationId, () => ({
      ...asked,
      updatedAt: sentAt,
      messages: [...messages, empty],
    }));
    const question = { model, maxTokens: maxTokensOf(model), turns: turnsOf(messages) };
    const reply = new Reply({
      ask: (signal) => askRelay(access, question, signal, { timers, now: clock.now }),
      onStarted: () => emit({ type: "reply_started", ...about, model }),
      onText: (text) => {
        this.#changeReply(about, (message) => ({ ...message, text: message.text + text }), "soon");
        emit({ type: "reply_delta", ...about, text });
      },
      onEnded: (ended) => {
        this.#running.delete(conversationId);
        this.#changeReply(about, (message) => ({ ...message, ending: ended }), "now");
        emit({ type: "reply_ended", ...about, ending: ended });
        onEnded(ended, model);
      },
      timers,
      monotonicMs: clock.monotonicMs,
    });
    this.#running.set(conversationId, reply);
  }

  #changeReply(
    { conversationId, replyId }: Readonly<{ conversationId: string; replyId: string }>,
    change: (message: AssistantMessage) => AssistantMessage,
    when: "now" | "soon",
  ): void {
    const { conversations, clock } = this.#options;
    const changed = (message: ChatMessage): ChatMessage =>
      message.role === "assistant" && message.id === replyId ? change(message) : message;
    conversations.change(
      conversationId,
      (conversation) => ({
        ...conversation,
        ...(when === "now" && { updatedAt: clock.now() }),
        messages: conversation.messages.map(changed),
      }),
      when,
    );
  }

  #newId(): string {
    return Buffer.from(this.#options.random.bytes(12)).toString("hex");
  }
}
