/** More than any image costs: the API scales larger ones down. */
const tokensOfImage = 5_000;

/**
 * What a prompt may cost beyond one token a byte: an image of few bytes can have many pixels. Null when the body
 * holds something whose size it does not show (a document, a file, an address), or may hide that it does.
 *
 * Looks for the blocks anywhere in the bytes: a false alarm holds more, never less. Plain letters spelt as
 * escapes, which no serialiser writes, are taken for hiding.
 * @returns further tokens, or null when only the model's whole context bounds the prompt
 */
export const tokensBeyondBytes = (body: Buffer): number | null => {
  if (hasEscapedLetter(body)) {
    return null;
  }
  let images = 0;
  // Hops from key to key: a pass over a whole large body would cost more than all else that is read of it.
  for (let at = body.indexOf(key); at >= 0; at = body.indexOf(key, at + key.length)) {
    const type = typeAt(body, at + key.length);
    if (type !== null && unbounded.has(type)) {
      return null;
    }
    images += type === "image" ? 1 : 0;
  }
  return images * tokensOfImage;
};

const key = '"type"';
const unbounded = new Set(["document", "container_upload", "file", "url"]);
/** Longer than any type that counts. */
const longestType = 32;

/** The string after a key's colon, as it stands; null when none follows. */
const typeAt = (body: Buffer, from: number): string | null => {
  let at = afterSpace(body, from);
  if (body[at] !== 0x3a) {
    return null;
  }
  at = afterSpace(body, at + 1);
  if (body[at] !== 0x22) {
    return null;
  }
  const end = body.indexOf(0x22, at + 1);
  return end < 0 || end - at > longestType ? null : body.toString("latin1", at + 1, end);
};

const afterSpace = (body: Buffer, from: number): number => {
  let at = from;
  while (body[at] === 0x20 || body[at] === 0x0a || body[at] === 0x0d || body[at] === 0x09) {
    at += 1;
  }
  return at;
};

/** U+0040 to U+007F, spelt as an escape. */
const hasEscapedLetter = (body: Buffer): boolean => {
  for (let at = body.indexOf("\\u00"); at >= 0; at = body.indexOf("\\u00", at + 4)) {
    const digit = body[at + 4] ?? 0;
    if (digit >= 0x34 && digit <= 0x37) {
      return true;
    }
  }
  return false;
};
