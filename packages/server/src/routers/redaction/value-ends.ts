/** Where values end, worked out for all places at once from the back, so that no place costs more than another. */
export class ValueEnds {
  readonly #text: string;
  readonly #word: Int32Array;
  readonly #plain: Int32Array;
  readonly #line: Int32Array;
  readonly #double: Int32Array;
  readonly #single: Int32Array;
  readonly #space: Int32Array;

  constructor(text: string) {
    const length = text.length;
    this.#text = text;
    this.#word = new Int32Array(length + 2).fill(length);
    this.#line = new Int32Array(length + 2).fill(length);
    this.#plain = new Int32Array(length + 2).fill(length);
    this.#double = new Int32Array(length + 2).fill(length);
    this.#single = new Int32Array(length + 2).fill(length);
    this.#space = new Int32Array(length + 2).fill(length);
    for (let at = length - 1; at >= 0; at--) {
      this.#fill(at, text.charCodeAt(at));
    }
  }

  /** Past the name that `at` stands in. */
  wordEnd(at: number): number {
    return this.#word[at] ?? this.#text.length;
  }

  /** The next white space. */
  blank(at: number): number {
    return this.#space[at] ?? this.#text.length;
  }

  /** The next end of a line, or of the text. */
  line(at: number): number {
    return this.#line[at] ?? this.#text.length;
  }

  /**
   * Past a value: its closing quote; without quotes the line's end, the next `name=`, or `;` before a space,
   * since some outputs leave out the quotes around values with spaces. An open quote takes the rest.
   * @param whole to the line's end, as after `name:`
   */
  valueEnd(start: number, whole = false): number {
    const open = this.#text[start] === "\\" ? start + 1 : start;
    const quote = this.#text[open];
    if (quote === '"' || quote === "'") {
      const close = (quote === '"' ? this.#double : this.#single)[open + 1] ?? this.#text.length;
      return this.#glued(Math.min(close + 1, this.#text.length));
    }
    return (whole ? this.#line : this.#plain)[start] ?? this.#text.length;
  }

  /** What touches a closing quote may be the secret itself, when an earlier quote was left open. */
  #glued(at: number): number {
    return afterQuote.has(this.#text.charAt(at)) ? at : this.blank(at);
  }

  #fill(at: number, code: number): void {
    const next = at + 1;
    this.#word[at] = isNameChar(code) ? (this.#word[next] ?? 0) : at;
    this.#space[at] = isSpace(code) ? at : (this.#space[next] ?? 0);
    const after = code === backslash ? at + 2 : next;
    this.#double[at] = code === double ? at : (this.#double[after] ?? 0);
    this.#single[at] = code === single ? at : (this.#single[after] ?? 0);
    this.#line[at] = code === lf || code === cr ? at : (this.#line[next] ?? 0);
    this.#plain[at] = this.#endsPlain(at, code) ? at : (this.#plain[next] ?? 0);
  }

  #endsPlain(at: number, code: number): boolean {
    if (code === lf || code === cr) {
      return true;
    }
    const next = this.#text.charCodeAt(at + 1);
    if (code === semicolon) {
      return Number.isNaN(next) || isSpace(next);
    }
    return isSpace(code) && isNameChar(next) && this.#text[this.#word[at + 1] ?? 0] === "=";
  }
}

const lf = 0x0a;
const cr = 0x0d;
const backslash = 0x5c;
const double = 0x22;
const single = 0x27;
const semicolon = 0x3b;
const afterQuote = new Set(["", " ", "\t", "\n", "\r", ";", ",", ")", "]", "}", "\\"]);

const isSpace = (code: number): boolean =>
  code === 0x20 || code === 0x09 || code === lf || code === cr;

/** Letters, digits, `-`, `_` and `.`. Not those of languages that put no space between words. */
export const isNameChar = (code: number): boolean => {
  if (code >= 0x80) {
    return code < 0x2000 && otherLetter.test(String.fromCharCode(code));
  }
  const letter = code | 0x20;
  return (
    (letter >= 0x61 && letter <= 0x7a) ||
    (code >= 0x30 && code <= 0x39) ||
    code === 0x2d ||
    code === 0x2e ||
    code === 0x5f
  );
};

const otherLetter = /[\p{L}\p{M}]/u;

/** The first place from `from` on that holds none of these characters. */
export const skip = (text: string, from: number, chars: string): number => {
  let at = from;
  while (at < text.length && chars.includes(text.charAt(at))) {
    at++;
  }
  return at;
};
