/** Which characters a script may hold at all. What is outside quotes is held tighter, by the parser. */

/** RouterOS itself takes 64 KB; what a person has to read and confirm must be far shorter. */
export const maxScriptLength = 16_384;

/**
 * Why the text is refused before it is read, or null.
 * Refused everywhere, in quotes and comments too: what a person cannot see, or a terminal would obey.
 */
export const hiddenCharacter = (text: string): string | null => {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (isPlain(code)) {
      continue;
    }
    const fault = faultAt(text, at, code);
    if (fault !== null) {
      return fault;
    }
    if (isHighSurrogate(code)) {
      at++;
    }
  }
  return null;
};

/** `U+200B` */
export const codeName = (code: number): string =>
  `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;

const isPlain = (code: number): boolean =>
  (code >= 0x20 && code < 0x7f) || code === 0x0a || code === 0x09;

const faultAt = (text: string, at: number, code: number): string | null => {
  if (code === 0x0d) {
    // Alone it ends a line on one system and overwrites the screen's line on another.
    if (text.charCodeAt(at + 1) === 0x0a) {
      return null;
    }
    return "The text holds a carriage return that is not part of a line end; write plain lines.";
  }
  if (code < 0x20 || (code >= 0x7f && code < 0xa0)) {
    return `The text holds the control character ${codeName(code)}; remove it.`;
  }
  const point = text.codePointAt(at) ?? code;
  if (isBlank(point) || invisibleCharacter.test(String.fromCodePoint(point))) {
    return `The text holds the invisible character ${codeName(point)}, which can disguise a command; remove it.`;
  }
  return null;
};

/** Formatting (zero width, direction, BOM), odd spaces and line ends, private use, unassigned, lone halves. */
const invisibleCharacter = /^[\p{Cf}\p{Z}\p{Co}\p{Cn}\p{Cs}]$/u;

/** Letters and marks that show nothing: fillers, joiners, variation selectors. */
const blank = new Set([
  0x034f, 0x115f, 0x1160, 0x17b4, 0x17b5, 0x180b, 0x180c, 0x180d, 0x3164, 0xffa0,
]);

const isBlank = (point: number): boolean =>
  blank.has(point) ||
  (point >= 0xfe00 && point <= 0xfe0f) ||
  (point >= 0xe0100 && point <= 0xe01ef);

const isHighSurrogate = (code: number): boolean => code >= 0xd800 && code < 0xdc00;
