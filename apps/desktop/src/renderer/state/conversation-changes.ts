/** What can happen to a conversation that the window holds. All pure. */
import type {
  AssistantMessage,
  ChatMessage,
  Conversation,
  ReplyEnding,
  UserMessage,
} from "../../bridge/conversation.ts";
import type { LoadedConversation } from "./window-state.ts";

/**
 * What to keep when the main process told of a conversation: its words, unless ours are newer. They are
 * while a message is being sent or an answer comes that we heard from its first letter, for replies and
 * events reach the window on two paths.
 */
export const keepLoaded = (
  ours: LoadedConversation | undefined,
  theirs: Conversation,
): LoadedConversation => {
  const last = ours?.messages.at(-1);
  const isComing =
    last?.role === "assistant" &&
    last.ending.kind === "streaming" &&
    ours?.heard.includes(last.id) === true;
  if (ours !== undefined && (ours.isAsking || isComing)) {
    return ours;
  }
  return { model: theirs.model, messages: theirs.messages, isAsking: false, heard: [] };
};

/** Shows the user's message before the main process has it. */
export const addProvisional = (
  one: LoadedConversation,
  message: UserMessage,
): LoadedConversation => ({ ...one, isAsking: true, messages: [...one.messages, message] });

/** The main process took it, under its own id. Its answer may have begun already, or begins soon. */
export const confirmMessage = (
  one: LoadedConversation,
  provisionalId: string,
  message: UserMessage,
): LoadedConversation => ({
  ...one,
  messages: one.messages.map((each) => (each.id === provisionalId ? message : each)),
});

export const dropProvisional = (
  one: LoadedConversation,
  provisionalId: string,
): LoadedConversation => ({
  ...one,
  isAsking: false,
  messages: one.messages.filter(({ id }) => id !== provisionalId),
});

type Start = Readonly<{ replyId: string; model: string; at: number }>;

/** A new answer takes the place of an earlier one to the same message. */
export const startReply = (
  one: LoadedConversation,
  { replyId, model, at }: Start,
): LoadedConversation => {
  const reply: AssistantMessage = {
    role: "assistant",
    id: replyId,
    text: "",
    model,
    sentAt: at,
    ending: { kind: "streaming" },
  };
  const before =
    one.messages.at(-1)?.role === "assistant" ? one.messages.slice(0, -1) : one.messages;
  return {
    ...one,
    isAsking: false,
    messages: [...before, reply],
    heard: [...one.heard, replyId],
  };
};

export const growReply = (
  one: LoadedConversation,
  replyId: string,
  text: string,
): LoadedConversation =>
  changeReply(one, replyId, (reply) =>
    reply.ending.kind === "streaming" ? { ...reply, text: reply.text + text } : reply,
  );

export const settleReply = (
  one: LoadedConversation,
  replyId: string,
  ending: ReplyEnding,
): LoadedConversation => ({
  ...changeReply(one, replyId, (reply) => ({ ...reply, ending })),
  isAsking: false,
});

const changeReply = (
  one: LoadedConversation,
  replyId: string,
  by: (reply: AssistantMessage) => AssistantMessage,
): LoadedConversation => {
  const changed = (each: ChatMessage) =>
    each.role === "assistant" && each.id === replyId ? by(each) : each;
  return { ...one, messages: one.messages.map(changed) };
};
