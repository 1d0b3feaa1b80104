/** Conversations as the main process keeps them and the window shows them. Times are epoch milliseconds. */

export type ConversationSummary = Readonly<{
  id: string;
  /** The first words of the first message, or what the user called it. */
  title: string;
  model: string;
  updatedAt: number;
}>;

export type Conversation = ConversationSummary & Readonly<{ messages: readonly ChatMessage[] }>;

export type ChatMessage = UserMessage | AssistantMessage;

export type UserMessage = Readonly<{ role: "user"; id: string; text: string; sentAt: number }>;

export type AssistantMessage = Readonly<{
  role: "assistant";
  id: string;
  /** Markdown, as far as it came. */
  text: string;
  model: string;
  sentAt: number;
  ending: ReplyEnding;
}>;

/** How an answer ended; `streaming` while it has not. */
export type ReplyEnding =
  | { readonly kind: "streaming" }
  /** Anthropic's stop_reason: `end_turn`, `max_tokens`, `refusal`, … */
  | { readonly kind: "complete"; readonly stopReason: string; readonly usage: ReplyUsage }
  /** The user pressed stop. */
  | { readonly kind: "stopped" }
  | { readonly kind: "failed"; readonly fault: ReplyFault };

export type ReplyUsage = Readonly<{ inputTokens: number; outputTokens: number }>;

export const replyFaultKinds = [
  "capped",
  "breaker_open",
  "rate_limited",
  "overloaded",
  "offline",
  "signed_out",
  "update_needed",
  "model_denied",
  "too_large",
  "invalid_request",
  "broken_off",
  "other",
] as const;

/** Why an answer failed, and what would help. The message is fit to be shown. */
export type ReplyFault = Readonly<{
  kind: (typeof replyFaultKinds)[number];
  message: string;
  /** When trying again may help; null: not by waiting, or nobody knows. */
  retryAt: number | null;
}>;
