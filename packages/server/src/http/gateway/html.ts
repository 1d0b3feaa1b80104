declare const brand: unique symbol;
/** Text that is HTML already: made by `html` alone. */
export type Html = string & { readonly [brand]: "Html" };

type Part = Html | string | number | readonly Html[];

/** A template whose values are escaped, unless they are HTML themselves (lists of it, or `raw`). */
export const html = (texts: TemplateStringsArray, ...parts: readonly (Part | Raw)[]): Html =>
  texts
    .map((text, index) => text + (index < parts.length ? shown(parts[index] ?? "") : ""))
    .join("") as Html;

/** HTML put into HTML. */
type Raw = Readonly<{ html: Html }>;
export const raw = (text: Html): Raw => ({ html: text });

const shown = (part: Part | Raw): string => {
  if (Array.isArray(part)) {
    return part.join("");
  }
  return typeof part === "object" && "html" in part ? part.html : escapeHtml(String(part));
};

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

export const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/g, (letter) => entities[letter] ?? "");
