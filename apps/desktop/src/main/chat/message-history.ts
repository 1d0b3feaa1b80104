import type { ChatMessage } from "../../bridge/conversation.ts";

/** A turn as the Messages API takes it. */
export type Turn = { role: "user" | "assistant"; content: { type: "text"; text: string }[] };

/**
 * What was said so far, as the API wants it: turns alternate, and none is empty. An answer that failed before
 * its first word is left out; what came of a broken one counts.
 */
export const turnsOf = (messages: readonly ChatMessage[]): Turn[] => {
  const turns: Turn[] = [];
  for (const { role, text } of messages) {
    if (text.trim() === "") {
      continue;
    }
    const last = turns.at(-1);
    if (last?.role === role) {
      last.content.push({ type: "text", text });
    } else {
      turns.push({ role, content: [{ type: "text", text }] });
    }
  }
  return turns;
};
