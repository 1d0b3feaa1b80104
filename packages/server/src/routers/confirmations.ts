import type { RouterId } from "@claude-relay/contract";

/** What a code stands for, and who alone may redeem it. */
export type Confirmable = Readonly<{
  router: RouterId;
  /** Of the router, as it names them; null when it names none. */
  user: string | null;
  /** The exact commands that were shown. */
  text: string;
  classification: "read" | "write";
  /** The request that made them. */
  requestId: string;
}>;

type Options = Readonly<{
  monotonicMs: () => number;
  /** @param count bytes */
  random: (count: number) => Buffer;
}>;

/** Seconds that a code is good for. */
export const codeSeconds = 300;
const mostCodes = 16;
const mostWrongTries = 5;

type Kept = Confirmable & Readonly<{ deadAtMs: number }>;
/** Of one router; oldest code first. */
type Book = { codes: Map<string, Kept>; wrong: number };

/** Single-use codes for commands that were shown and not run yet; in memory, and gone with the process. */
export class Confirmations {
  readonly #options: Options;
  readonly #books = new Map<RouterId, Book>();

  constructor(options: Options) {
    this.#options = options;
  }

  /** Gives the code, `XXXX-XXXX` in Crockford's base 32. Beyond 16 codes of one router its oldest dies. */
  issue(commands: Confirmable): string {
    this.#sweep();
    const book = this.#books.get(commands.router) ?? { codes: new Map(), wrong: 0 };
    this.#books.set(commands.router, book);
    const code = this.#newCode();
    const deadAtMs = this.#options.monotonicMs() + codeSeconds * 1000;
    book.codes.set(code, { ...commands, deadAtMs });
    const [oldest] = book.codes.keys();
    if (book.codes.size > mostCodes && oldest !== undefined) {
      book.codes.delete(oldest);
    }
    return `${code.slice(0, 4)}-${code.slice(4)}`;
  }

  /**
   * What a code stands for, once; null when this router and user have no such code now. After five wrong tries
   * all codes of the router die.
   */
  redeem(router: RouterId, user: string | null, code: string): Confirmable | null {
    this.#sweep();
    const book = this.#books.get(router);
    if (book === undefined) {
      return null;
    }
    const plain = normal(code);
    const found = book.codes.get(plain);
    if (found === undefined || found.user !== user) {
      book.wrong += 1;
      if (book.wrong >= mostWrongTries) {
        this.#books.delete(router);
      }
      return null;
    }
    book.codes.delete(plain);
    book.wrong = 0;
    const { deadAtMs: _, ...commands } = found;
    return commands;
  }

  #newCode(): string {
    return [...this.#options.random(8)].map((byte) => digits.charAt(byte & 31)).join("");
  }

  #sweep(): void {
    const nowMs = this.#options.monotonicMs();
    for (const [router, { codes }] of this.#books) {
      for (const [code, { deadAtMs }] of codes) {
        if (deadAtMs <= nowMs) {
          codes.delete(code);
        }
      }
      if (codes.size === 0) {
        this.#books.delete(router);
      }
    }
  }
}

const digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** As people type it: small letters, spaces and dashes, and what looks alike. */
const normal = (code: string): string =>
  code.toUpperCase().replace(/[-\s]/g, "").replaceAll("O", "0").replace(/[IL]/g, "1");
