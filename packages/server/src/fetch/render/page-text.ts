import { attributeOf, type Element, isElement, type ParentNode } from "./html-tree.ts";
import type { Readable } from "./readable-tree.ts";

/** Elements that stand on lines of their own, with an empty line around. */
const paragraphs = new Set(
  "p h1 h2 h3 h4 h5 h6 dl pre blockquote table figure hr section article header footer nav main aside form fieldset".split(
    " ",
  ),
);
/** Elements that stand on lines of their own. */
const lines = new Set(
  "div ul ol li dt dd tr caption figcaption address details summary legend option center noscript body html".split(
    " ",
  ),
);

/** A readable page as plain text: paragraphs apart, list items dashed, table cells between tabs. */
export const toText = ({ body, title }: Readable): string => {
  const writer = new TextWriter();
  if (title !== "") {
    writer.word(title);
    writer.lineBreaks(2);
  }
  write(body, writer, false);
  return writer.text();
};

const write = (parent: ParentNode, writer: TextWriter, asIs: boolean): void => {
  for (const child of parent.childNodes) {
    if ("value" in child) {
      if (asIs) {
        writer.verbatim(child.value);
      } else {
        writer.word(child.value);
      }
    } else if (isElement(child)) {
      writeElement(child, writer, asIs);
    }
  }
};

const writeElement = (element: Element, writer: TextWriter, asIs: boolean): void => {
  const breaks = paragraphs.has(element.tagName) ? 2 : lines.has(element.tagName) ? 1 : 0;
  writer.lineBreaks(breaks);
  switch (element.tagName) {
    case "br":
      writer.lineBreaks(1);
      return;
    case "img":
      writer.word(attributeOf(element, "alt") ?? "");
      return;
    case "td":
    case "th":
      writer.cell();
      break;
    case "li":
      writer.word("- ");
      break;
  }
  write(element, writer, asIs || element.tagName === "pre");
  writer.lineBreaks(breaks);
};

/** Joins words with single spaces, and blocks with no more line breaks than the larger of them asks for. */
class TextWriter {
  readonly #parts: string[] = [];
  #breaks = 0;
  #space = false;
  #cells = false;
  #started = false;

  word(text: string): void {
    if (text === "") {
      return;
    }
    const collapsed = text.replace(/[ \t\r\n\f]+/g, " ");
    if (collapsed === " ") {
      this.#space = true;
      return;
    }
    this.#space ||= collapsed.startsWith(" ");
    this.#separate();
    this.#parts.push(collapsed.trim());
    this.#space = collapsed.endsWith(" ");
  }

  verbatim(text: string): void {
    this.#separate();
    this.#parts.push(text);
  }

  lineBreaks(count: number): void {
    if (count > 0) {
      this.#breaks = Math.max(this.#breaks, count);
      this.#cells = false;
    }
  }

  /** A cell after another one of its row is set off by a tab. */
  cell(): void {
    if (this.#cells) {
      this.#parts.push("\t");
      this.#space = false;
    }
    this.#separate();
    this.#cells = true;
  }

  text(): string {
    return this.#parts.join("").trim();
  }

  #separate(): void {
    if (this.#breaks > 0 && this.#started) {
      this.#parts.push("\n".repeat(this.#breaks));
    } else if (this.#space && this.#started) {
      this.#parts.push(" ");
    }
    this.#breaks = 0;
    this.#space = false;
    this.#started = true;
  }
}
