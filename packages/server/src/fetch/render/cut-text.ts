/** Cuts a text to so many bytes of UTF-8, never within a character; lone surrogates become U+FFFD. */
export const cutText = (
  text: string,
  maxBytes: number,
): Readonly<{ text: string; truncated: boolean }> => {
  const whole = text.toWellFormed();
  // encodeInto stops before a character that no longer fits.
  const { read } = new TextEncoder().encodeInto(whole, new Uint8Array(maxBytes));
  return { text: whole.slice(0, read), truncated: read < whole.length };
};
