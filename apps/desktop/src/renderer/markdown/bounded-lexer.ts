/** marked's lexer, with bounds on what a hostile or broken answer could make it do. */
import { Lexer, type Token, type TokensList } from "marked";

/** Blocks in blocks; quotes in quotes a thousand deep would end the stack. */
const deepest = 24;
/** Some runs of delimiters cost the square of their length: longer text without a block's end is left as it is. */
const longestInline = 20_000;
/**
 * What all runs of one text may cost together, in delimiters squared: a tenth of a second. What comes after
 * that is left as it is, so that many such runs cannot hold up the window either.
 */
const dearest = 20_000_000;
/** Nested lists are read again at each level. */
const longestNested = 100_000;

class BoundedLexer extends Lexer {
  #depth = 0;
  #cost = 0;

  override blockTokens(source: string, tokens?: Token[], isClipped?: boolean): Token[];
  override blockTokens(source: string, tokens?: TokensList, isClipped?: boolean): TokensList;
  override blockTokens(source: string, tokens: Token[] = [], isClipped?: boolean): Token[] {
    if (this.#depth >= deepest || (this.#depth > 1 && source.length > longestNested)) {
      tokens.push(plain(source));
      return tokens;
    }
    this.#depth += 1;
    try {
      return super.blockTokens(source, tokens, isClipped);
    } finally {
      this.#depth -= 1;
    }
  }

  override inlineTokens(source: string, tokens: Token[] = []): Token[] {
    this.#cost += (source.match(/[*_~]/g)?.length ?? 0) ** 2;
    if (this.#depth >= deepest || source.length > longestInline || this.#cost > dearest) {
      tokens.push(plain(source));
      return tokens;
    }
    this.#depth += 1;
    try {
      return super.inlineTokens(source, tokens);
    } finally {
      this.#depth -= 1;
    }
  }
}

const plain = (source: string): Token => ({ type: "text", raw: source, text: source });

export type Lexed = Readonly<{
  tokens: readonly Token[];
  /** It holds definitions such as `[1]: https://example.com`. */
  definesLinks: boolean;
}>;

/** Reads Markdown into marked's tokens. What cannot be read becomes one block of plain text. */
export const lexMarkdown = (source: string): Lexed => {
  const lexer = new BoundedLexer({ gfm: true, breaks: false });
  try {
    const tokens = [...lexer.lex(source)];
    return { tokens, definesLinks: Object.keys(lexer.tokens.links).length > 0 };
  } catch {
    const text: Token = { type: "paragraph", raw: source, text: source, tokens: [plain(source)] };
    return { tokens: [text], definesLinks: false };
  }
};
