import { Unreadable } from "./ast.ts";
import { codeName } from "./characters.ts";

/** Deeper than any script a person would read. Bounds our stack. */
const maxDepth = 32;

/** A place in the text. Moves forwards only, so that reading is linear. */
export class Cursor {
  readonly text: string;
  at = 0;
  #depth = 0;

  constructor(text: string) {
    this.text = text;
  }

  /** The character here; the empty string at the end. */
  peek(): string {
    return this.text.charAt(this.at);
  }

  get ended(): boolean {
    return this.at >= this.text.length;
  }

  /** The character `ahead` of this one. */
  ahead(distance: number): string {
    return this.text.charAt(this.at + distance);
  }

  is(expected: string): boolean {
    return this.text.startsWith(expected, this.at);
  }

  takeWhile(test: (char: string) => boolean): string {
    const start = this.at;
    while (!this.ended && test(this.peek())) {
      this.at++;
    }
    return this.text.slice(start, this.at);
  }

  /** Length of the line end here: LF or CRLF; 0 when there is none. */
  lineEnd(): number {
    if (this.peek() === "\n") {
      return 1;
    }
    return this.is("\r\n") ? 2 : 0;
  }

  /** Skips spaces, tabs and joined lines; line ends too when `lines` is set. Gives whether it moved. */
  skipSpace(lines = false): boolean {
    const start = this.at;
    while (!this.ended) {
      if (this.peek() === " " || this.peek() === "\t") {
        this.at++;
      } else if (lines && this.lineEnd() > 0) {
        this.at += this.lineEnd();
      } else if (!this.#skipJoin()) {
        break;
      }
    }
    return this.at > start;
  }

  /** Skips `\` and the line end after it. It parts words: whether it could join two is not the same everywhere. */
  #skipJoin(): boolean {
    if (this.peek() !== "\\") {
      return false;
    }
    const end = this.ahead(1) === "\n" ? 2 : this.text.startsWith("\r\n", this.at + 1) ? 3 : 0;
    if (end === 0) {
      throw new Unreadable('A "\\" may stand only in quotes or at the end of a line.');
    }
    const before = this.text.charAt(this.at - 1);
    const after = this.text.charAt(this.at + end);
    if (isWordChar(before) && isWordChar(after)) {
      throw new Unreadable('A word is split over two lines with "\\"; write it in one piece.');
    }
    this.at += end;
    return true;
  }

  /** Reads something nested. @throws Unreadable when it is nested too deep */
  nested<T>(read: () => T): T {
    this.#depth++;
    if (this.#depth > maxDepth) {
      throw new Unreadable(
        `The command is nested deeper than ${maxDepth} levels; make it simpler.`,
      );
    }
    const result = read();
    this.#depth--;
    return result;
  }

  /** @throws Unreadable always: names what stands here */
  unexpected(): never {
    if (this.ended) {
      throw new Unreadable("The command ends too early.");
    }
    const code = this.text.codePointAt(this.at) ?? 0;
    if (code > 0x7e) {
      throw new Unreadable(
        `The letter ${codeName(code)} outside quotes looks like another one or means nothing to RouterOS; use plain ASCII.`,
      );
    }
    const shown = code === 0x0a || code === 0x0d ? "the line end" : `"${this.peek()}"`;
    throw new Unreadable(
      `RouterOS script is not expected to have ${shown} here; put values in quotes.`,
    );
  }
}

/** What an unquoted word is made of. */
export const isWordChar = (char: string): boolean => char !== "" && wordCharacters.has(char);

export const isNameChar = (char: string): boolean => char !== "" && nameCharacters.has(char);

const nameCharacters = new Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
const wordCharacters = new Set([...nameCharacters, ..."_-./:*,@%+"]);
