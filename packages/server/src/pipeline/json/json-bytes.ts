/** What every part of the JSON reader shares: the bytes, the marks in them, and what is said of wrong ones. */

/** Brackets a body may nest; beyond that a recursive reader behind us could run out of stack. */
export const maxDepth = 128;

/** The bytes are not JSON. `offset` is where that became certain. */
export class JsonFault extends Error {
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.name = "JsonFault";
    this.offset = offset;
  }
}

/** Bytes to scan. `words` is the same memory, for reading four bytes at once. */
export type JsonBytes = Readonly<{ bytes: Buffer; words: DataView; end: number }>;

export const jsonBytes = (bytes: Buffer): JsonBytes => ({
  bytes,
  words: new DataView(bytes.buffer, bytes.byteOffset, bytes.length),
  end: bytes.length,
});

export const quote = 0x22;
export const openBracket = 0x5b;
export const openBrace = 0x7b;
export const comma = 0x2c;
export const closeBracket = 0x5d;
export const closeBrace = 0x7d;

export const unexpected = (json: JsonBytes, at: number): JsonFault =>
  at >= json.end
    ? new JsonFault("it ends too early", at)
    : new JsonFault("unexpected character", at);

export const checkDepth = (depth: number, at: number): void => {
  if (depth > maxDepth) {
    throw new JsonFault(`it nests deeper than ${maxDepth} levels`, at);
  }
};
