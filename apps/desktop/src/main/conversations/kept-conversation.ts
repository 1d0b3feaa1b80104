import { Type } from "typebox";
import { Value } from "typebox/value";
import {
  type ChatMessage,
  type Conversation,
  type ConversationSummary,
  type ReplyEnding,
  replyFaultKinds,
} from "../../bridge/conversation.ts";

/** A conversation as it is kept; `isNamed`: by the user, so that its title stays as it is. */
export type KeptConversation = Conversation & Readonly<{ isNamed: boolean }>;

const Time = Type.Number({ minimum: 0, maximum: 8.64e15 });
const Count = Type.Integer({ minimum: 0 });

const Fault = Type.Object({
  kind: Type.Enum(replyFaultKinds),
  message: Type.String(),
  retryAt: Type.Union([Time, Type.Null()]),
});

const Ending = Type.Union([
  Type.Object({ kind: Type.Literal("streaming") }),
  Type.Object({
    kind: Type.Literal("complete"),
    stopReason: Type.String(),
    usage: Type.Object({ inputTokens: Count, outputTokens: Count }),
  }),
  Type.Object({ kind: Type.Literal("stopped") }),
  Type.Object({ kind: Type.Literal("failed"), fault: Fault }),
]);

const Message = Type.Union([
  Type.Object({
    role: Type.Literal("user"),
    id: Type.String(),
    text: Type.String(),
    sentAt: Time,
  }),
  Type.Object({
    role: Type.Literal("assistant"),
    id: Type.String(),
    text: Type.String(),
    model: Type.String(),
    sentAt: Time,
    ending: Ending,
  }),
]);

const Kept = Type.Object({
  title: Type.String(),
  isNamed: Type.Boolean(),
  model: Type.String(),
  updatedAt: Time,
  messages: Type.Array(Message),
});

export const serialize = ({ id: _, ...kept }: KeptConversation): Buffer =>
  Buffer.from(JSON.stringify(kept));

/**
 * What `serialize` gave; null for anything else. It was not left by this run of the app: an answer that was
 * coming then comes no more.
 */
export const parse = (id: string, plain: Buffer): KeptConversation | null => {
  const kept = jsonOf(plain);
  if (!Value.Check(Kept, kept)) {
    return null;
  }
  const { title, isNamed, model, updatedAt, messages } = kept;
  return { id, title, isNamed, model, updatedAt, messages: messages.map(ended) };
};

const jsonOf = (plain: Buffer): unknown => {
  try {
    return JSON.parse(plain.toString("utf8"));
  } catch {
    return undefined;
  }
};

const ended = (message: ChatMessage): ChatMessage =>
  message.role === "assistant" && message.ending.kind === "streaming"
    ? { ...message, ending: leftBehind }
    : message;

const leftBehind: ReplyEnding = {
  kind: "failed",
  fault: {
    kind: "broken_off",
    message: "The app was closed before this answer was complete.",
    retryAt: null,
  },
};

export const summaryOf = ({
  id,
  title,
  model,
  updatedAt,
}: KeptConversation): ConversationSummary => ({ id, title, model, updatedAt });

/** As the window sees it. */
export const shown = ({ isNamed: _, ...conversation }: KeptConversation): Conversation =>
  conversation;
