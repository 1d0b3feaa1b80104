/**
 * JSON for a person and for programs: control, direction and invisible characters, which could rewrite a terminal,
 * stand there as `\u…`. That means the same (RFC 8259 §7).
 */
export const shownJson = (value: unknown): string =>
  JSON.stringify(value, null, 2).replace(/(?!\n)[\p{C}\u2028\u2029]/gu, escaped);

const escaped = (sign: string): string =>
  Array.from(
    { length: sign.length },
    (_, at) => `\\u${sign.charCodeAt(at).toString(16).padStart(4, "0")}`,
  ).join("");
