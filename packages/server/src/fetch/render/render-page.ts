import type { PageFormat } from "../../pipeline/page-ports.ts";
import type { PageKind } from "../media-type.ts";
import { decode } from "./charset.ts";
import { cutText } from "./cut-text.ts";
import { parseHtml } from "./html-tree.ts";
import { toMarkdown } from "./page-markdown.ts";
import { toText } from "./page-text.ts";
import { toReadable } from "./readable-tree.ts";
import { stripHtml } from "./strip-html.ts";

/** A page's bytes, and what is to be made of them. */
export type RenderJob = Readonly<{
  bytes: Uint8Array<ArrayBuffer>;
  kind: PageKind;
  /** From the `content-type` header. */
  charset: string | null;
  /** What the page's links are relative to. */
  url: string;
  format: PageFormat;
  strip: boolean;
  maxBytes: number;
}>;

export type Rendered = Readonly<{ text: string; truncated: boolean }>;

/** Bytes → characters → the format asked for → no longer than asked for. */
export const renderPage = (job: RenderJob): Rendered => {
  const { text, complete } = convert(decode(job), job);
  const cut = cutText(text, job.maxBytes);
  return { text: cut.text, truncated: cut.truncated || !complete };
};

const convert = (source: string, job: RenderJob): { text: string; complete: boolean } => {
  if (job.kind !== "html" || (job.format === "html" && !job.strip)) {
    return { text: source, complete: true };
  }
  const { document, complete } = parseHtml(source);
  switch (job.format) {
    case "html":
      return { text: stripHtml(document), complete };
    case "text":
      return { text: toText(toReadable(document, job.url)), complete };
    case "markdown":
      return { text: toMarkdown(toReadable(document, job.url)), complete };
    default:
      return job.format satisfies never;
  }
};
