import type { Token } from "marked";
import { lexMarkdown } from "./bounded-lexer.ts";

export type GrowingBlocks = Readonly<{
  /** The top-level blocks of the text. A block that did not change is the same object as before. */
  read(text: string): readonly Token[];
}>;

/** What is appended can change the last block, and the one before it (a list goes on after an empty line). */
const unsettled = 2;

/**
 * Reads a text that grows at its end, as an answer does, without reading all of it each time: blocks that
 * nothing behind them can change are kept.
 */
export const createGrowingBlocks = (): GrowingBlocks => {
  let before = "";
  let blocks: readonly Token[] = [];
  /** A link's definition holds for all of the text, also for what stands before it. */
  let hasDefinitions = false;

  const readFrom = (text: string, kept: readonly Token[]): readonly Token[] => {
    const { tokens, definesLinks } = lexMarkdown(text.slice(lengthOf(kept)));
    hasDefinitions = definesLinks;
    return definesLinks && kept.length > 0 ? readFrom(text, []) : [...kept, ...tokens];
  };

  return {
    read: (text) => {
      if (text === before) {
        return blocks;
      }
      // The lexer rewrites some characters (carriage returns, tabs): then places in the text are not known.
      const isGrown =
        !hasDefinitions && text.startsWith(before) && lengthOf(blocks) === before.length;
      blocks = reuse(blocks, readFrom(text, isGrown ? settled(blocks) : []));
      before = text;
      return blocks;
    },
  };
};

const settled = (blocks: readonly Token[]): readonly Token[] => {
  let left = unsettled;
  const at = blocks.findLastIndex(({ type }) => {
    left -= type === "space" ? 0 : 1;
    return left === 0;
  });
  return blocks.slice(0, Math.max(0, at));
};

const lengthOf = (blocks: readonly Token[]): number =>
  blocks.reduce((sum, { raw }) => sum + raw.length, 0);

const reuse = (before: readonly Token[], after: readonly Token[]): readonly Token[] =>
  after.map((token, at) => {
    const earlier = before[at];
    return earlier !== undefined && isSame(earlier, token) ? earlier : token;
  });

/**
 * A new definition can change a block with brackets though its letters stayed; and white space before an
 * end of the text is read in another way than before a line.
 */
const isSame = (one: Token, other: Token): boolean =>
  one === other ||
  (one.type === other.type &&
    one.raw === other.raw &&
    !one.raw.includes("[") &&
    textOf(one) === textOf(other));

const textOf = (token: Token): unknown => ("text" in token ? token.text : undefined);
