import type { ReplyFault } from "../../bridge/conversation.ts";

/** What a fault is called, and what would help besides trying again. */
export type FaultWords = Readonly<{ title: string; help: string | null }>;

export const faultWords: Readonly<Record<ReplyFault["kind"], FaultWords>> = {
  capped: { title: "A budget is used up", help: null },
  breaker_open: {
    title: "Claude is not answering the relay",
    help: "The relay waits a moment before it asks again.",
  },
  rate_limited: { title: "Too many requests at once", help: null },
  overloaded: { title: "Claude is overloaded", help: "This usually passes within a few minutes." },
  offline: { title: "The relay cannot be reached", help: null },
  signed_out: { title: "This device is signed out", help: "Sign in again, then retry." },
  update_needed: { title: "This app is too old for the relay", help: "Install the newer version." },
  model_denied: { title: "This model is not allowed", help: "Choose another model above." },
  too_large: {
    title: "The conversation is too long",
    help: "Begin a new one, or send less at once.",
  },
  invalid_request: { title: "The request was refused", help: null },
  broken_off: { title: "The answer broke off", help: null },
  other: { title: "Something went wrong", help: null },
};

/** What to tell of an answer that is whole, but not the end of what could be said; null: nothing. */
export const stopReasonWords = (stopReason: string): string | null => {
  switch (stopReason) {
    case "end_turn":
    case "stop_sequence":
      return null;
    case "max_tokens":
      return "The answer ends here because it reached its greatest length. Ask to go on.";
    case "model_context_window_exceeded":
      return "The conversation is as long as the model can read. Begin a new one.";
    case "refusal":
      return "Claude declined to answer this.";
    default:
      return `The answer ended early (${stopReason}).`;
  }
};
