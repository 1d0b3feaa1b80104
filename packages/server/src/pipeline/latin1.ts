let lastBytes: Buffer | null = null;
let lastText = "";

/**
 * A chunk's bytes as a string, a character for each. Both the meter and the caller's reply want it, one right
 * after the other, and making it costs more than what either does with it: the last one is remembered.
 * Only for chunks nobody writes to any more.
 */
export const latin1 = (bytes: Buffer): string => {
  if (bytes !== lastBytes) {
    lastBytes = bytes;
    lastText = bytes.toString("latin1");
  }
  return lastText;
};
