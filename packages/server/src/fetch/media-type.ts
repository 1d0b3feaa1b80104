import { notAllowed } from "./faults.ts";

/** What a page's bytes are: `html` is parsed, `xml` and `text` are only decoded. */
export type PageKind = "html" | "xml" | "text";

type MediaType = Readonly<{
  kind: PageKind;
  /** From `charset=`; null when it names none. */
  charset: string | null;
}>;

/** How many bytes decide what a page without a type is (WHATWG MIME Sniffing's resource header). */
const sniffed = 1_445;

/**
 * Reads a page's `content-type`; without one, its first bytes. Only text is let through: text/*, HTML, XHTML,
 * JSON, XML and feeds. @throws Refusal `invalid_request`
 */
export const readMediaType = (header: string | null, bytes: Uint8Array): MediaType => {
  if (header === null || header.trim() === "") {
    return { kind: sniff(bytes.subarray(0, sniffed)), charset: null };
  }
  return { kind: kindOf(essence(header)), charset: charsetOf(header) };
};

/** Only looks at the header, so that a film is refused before its bytes are read. @throws Refusal */
export const checkMediaType = (header: string | null): void => {
  if (header !== null && header.trim() !== "") {
    kindOf(essence(header));
  }
};

const essence = (header: string): string => (header.split(";", 1)[0] ?? "").trim().toLowerCase();

const kindOf = (type: string): PageKind => {
  if (type === "text/html" || type === "application/xhtml+xml") {
    return "html";
  }
  if (type === "text/xml" || type === "application/xml" || /^application\/[^/]+\+xml$/.test(type)) {
    return "xml";
  }
  if (/^text\/[^/]+$/.test(type) || /^application\/(?:json|[^/]+\+json)$/.test(type)) {
    return "text";
  }
  throw notText();
};

const charsetOf = (header: string): string | null =>
  /;\s*charset\s*=\s*["']?([^\s"';]+)/i.exec(header)?.[1] ?? null;

/** WHATWG MIME Sniffing §7.1, shortened: a byte order mark or markup means text, bytes that no text has mean none. */
const sniff = (bytes: Uint8Array): PageKind => {
  const [first, second] = bytes;
  const utf16 = (first === 0xfe && second === 0xff) || (first === 0xff && second === 0xfe);
  if (!utf16 && bytes.some(isBinary)) {
    throw notText();
  }
  const head = Buffer.from(bytes).toString("latin1").replaceAll("\u0000", "").toLowerCase();
  const start = head.replace(/^(?:\u00ef\u00bb\u00bf|\u00fe\u00ff|\u00ff\u00fe)/, "").trimStart();
  if (start.startsWith("<?xml")) {
    return "xml";
  }
  return /^<(?:!doctype html|!--|html|head|body|script|style|title|meta|div|p|h1|table|a|b|br)\b/.test(
    start,
  ) || start.startsWith("<!--")
    ? "html"
    : "text";
};

/** Control bytes no text holds. Line ends, tab, form feed and escape (ISO-2022-JP) are text. */
const isBinary = (byte: number): boolean =>
  byte < 0x09 || byte === 0x0b || (byte > 0x0d && byte < 0x1b) || (byte > 0x1b && byte < 0x20);

const notText = () =>
  notAllowed("not a text page. HTML, XML, JSON and text can be fetched; no images, PDFs or files.");
