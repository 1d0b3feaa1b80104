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
  const text = body.toString("latin1");
  if (unbounded.test(text) || escapedLetter.test(text)) {
    return null;
  }
  return [...text.matchAll(image)].length * tokensOfImage;
};

const unbounded = /"type"\s*:\s*"(?:document|container_upload|file|url)"/;
const image = /"type"\s*:\s*"image"/g;
/** U+0040 to U+007F. */
const escapedLetter = /\\u00[4-7]/;
