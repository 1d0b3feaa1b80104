import { SyntaxFault } from "./faults.ts";
import type { Place } from "./syntax.ts";

/** A cursor over a script's bytes. */
export class Scanner {
  readonly source: string;
  position = 0;
  /** Where each line begins. */
  readonly #lines: readonly number[];

  constructor(source: string) {
    this.source = source;
    this.#lines = [0, ...[...source.matchAll(/\n/g)].map(({ index }) => index + 1)];
  }

  get here(): string {
    return this.source.charAt(this.position);
  }

  get atEnd(): boolean {
    return this.position >= this.source.length;
  }

  place(position = this.position): Place {
    const next = this.#lines.findIndex((start) => start > position);
    const line = next < 0 ? this.#lines.length : next;
    return { line, column: position - (this.#lines[line - 1] ?? 0) + 1 };
  }

  fault(message: string, position = this.position): never {
    const { line, column } = this.place(position);
    throw new SyntaxFault(message, line, column);
  }

  /** The text `pattern` (sticky) matches here, taken; or undefined. */
  take(pattern: RegExp): string | undefined {
    const found = this.peek(pattern);
    if (found !== undefined) {
      this.position += found.length;
    }
    return found;
  }

  peek(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.position;
    return pattern.exec(this.source)?.[0];
  }

  expect(text: string): void {
    if (!this.source.startsWith(text, this.position)) {
      this.fault(`expected ${JSON.stringify(text)}`);
    }
    this.position += text.length;
  }

  /** Blanks and `\`-joined lines; true if there were any. */
  skipBlanks(): boolean {
    return this.take(/(?:[ \t]|\\\r?\n)+/y) !== undefined;
  }

  /** Blanks and ends of lines, as inside an array. */
  skipLines(): void {
    this.take(/(?:[ \t\r\n]|\\\r?\n)+/y);
  }

  /** Whether a command could end here. */
  get atDelimiter(): boolean {
    return this.atEnd || /[\s;\]})]/.test(this.here) || this.peek(/\\\r?\n/y) !== undefined;
  }
}
