import { invalid } from "./api-error.ts";
import { blocksOf } from "./tokens.ts";
import type { InputBlock, InputMessage } from "./wire.ts";

type Turn = Readonly<{ role: string; at: number; blocks: InputBlock[] }>;

/**
 * Checks that tool uses and tool results stand in pairs, a use answered in the very next turn.
 * @throws ApiError 400 in the API's words
 */
export const checkToolPairs = (messages: readonly InputMessage[]): void => {
  const turns = turnsOf(messages);
  turns.forEach((turn, index) => {
    const used = idsOf(turns[index - 1]?.blocks, "tool_use", "id");
    const answered = idsOf(turn.blocks, "tool_result", "tool_use_id");
    const stranger = answered.find((id) => !used.includes(id));
    if (stranger !== undefined) {
      throw invalid(
        `messages.${turn.at}.content: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${stranger}. Each \`tool_result\` block must have a corresponding \`tool_use\` block in the previous message.`,
      );
    }
    const open = used.filter((id) => !answered.includes(id));
    if (open.length > 0) {
      throw invalid(
        `messages.${turns[index - 1]?.at}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${open.join(", ")}. Each \`tool_use\` block must have a corresponding \`tool_result\` block in the next message.`,
      );
    }
  });
};

/** Messages of one role in a row are one turn; system messages may stand anywhere and are none. */
const turnsOf = (messages: readonly InputMessage[]): readonly Turn[] => {
  const turns: Turn[] = [];
  messages.forEach(({ role, content }, at) => {
    const last = turns.at(-1);
    if (role === "system") {
      return;
    }
    if (last?.role === role) {
      last.blocks.push(...blocksOf(content));
    } else {
      turns.push({ role, at, blocks: [...blocksOf(content)] });
    }
  });
  return turns;
};

const idsOf = (blocks: readonly InputBlock[] | undefined, type: string, field: string): string[] =>
  (blocks ?? []).filter((block) => block.type === type).map((block) => String(block[field]));
