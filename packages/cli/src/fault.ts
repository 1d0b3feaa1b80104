/** What went wrong and what to do about it, in one line: the only thing the user sees of it. */
export class Fault extends Error {
  /** What the process ends with. */
  readonly exitCode: number = 1;
}

/** Text from elsewhere without the control characters that could rewrite the terminal. */
export const printable = (text: string): string => text.replace(/\p{Cc}+/gu, " ").trim();
