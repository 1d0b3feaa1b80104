/** What went wrong and what to do about it, in one line: the only thing the user sees of it. */
export class Fault extends Error {
  /** What the process ends with. */
  readonly exitCode: number = 1;
}

/** Text from elsewhere without what could rewrite the terminal: control, direction and invisible characters. */
export const printable = (text: string): string => harmless(text).trim();

/** The same with the blanks at its ends, which belong to a name that somebody chose. */
export const harmless = (text: string): string => text.replace(/[\p{C}\u2028\u2029]+/gu, " ");
