import type { Range } from "./range.ts";

/** Wherever one of these secrets stands, whatever stands around it. */
export const knownSecrets = (text: string, secrets: readonly string[]): readonly Range[] => {
  const ranges: Range[] = [];
  for (const secret of secrets.flatMap(forms)) {
    let start = secret === "" ? -1 : text.indexOf(secret);
    while (start >= 0) {
      ranges.push({ start, end: start + secret.length });
      start = text.indexOf(secret, start + secret.length);
    }
  }
  return ranges;
};

/** As it is, as a script or JSON has it between quotes, and as a URL or a header has it. */
const forms = (secret: string): readonly string[] => {
  const bytes = Buffer.from(secret, "utf8");
  const base64 = bytes.toString("base64");
  return [
    secret,
    JSON.stringify(secret).slice(1, -1),
    secret.replace(/["\\$?]/g, "\\$&"),
    encodeURIComponent(secret.toWellFormed()),
    base64,
    base64.replaceAll("=", ""),
    bytes.toString("base64url"),
    bytes.toString("hex"),
    bytes.toString("hex").toUpperCase(),
  ];
};
