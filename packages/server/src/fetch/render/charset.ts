import { isUtf8 } from "node:buffer";
import type { PageKind } from "../media-type.ts";
import { metaCharset } from "./meta-charset.ts";

type Page = Readonly<{
  bytes: Uint8Array;
  kind: PageKind;
  /** From the `content-type` header. */
  charset: string | null;
}>;

/**
 * Decodes a page as browsers do (WHATWG HTML, "determining the character encoding"): byte order mark, the
 * header's charset, what the document says of itself, then UTF-8 if the bytes are that, else windows-1252 for
 * HTML. Bytes that fit no character become U+FFFD.
 */
export const decode = (page: Page): string => {
  const label = byteOrderMark(page.bytes) ?? known(page.charset) ?? known(declared(page));
  const name = label ?? (page.kind !== "html" || looksUtf8(page.bytes) ? "utf-8" : "windows-1252");
  return new TextDecoder(name).decode(page.bytes);
};

const byteOrderMark = ([first, second, third]: Uint8Array): string | null => {
  if (first === 0xef && second === 0xbb && third === 0xbf) {
    return "utf-8";
  }
  if (first === 0xfe && second === 0xff) {
    return "utf-16be";
  }
  return first === 0xff && second === 0xfe ? "utf-16le" : null;
};

/** A label TextDecoder has; null for one it has not, so that the next source is asked. */
const known = (label: string | null): string | null => {
  if (label === null) {
    return null;
  }
  try {
    return new TextDecoder(label).encoding;
  } catch {
    return null;
  }
};

const declared = ({ bytes, kind }: Page): string | null => {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 1024));
  switch (kind) {
    case "html":
      return metaCharset(head.toString("latin1"));
    case "xml":
      return xmlEncoding(head.toString("latin1"));
    case "text":
      return null;
    default:
      return kind satisfies never;
  }
};

const xmlEncoding = (head: string): string | null =>
  /^<\?xml\s[^>]*?\bencoding\s*=\s*["']([A-Za-z0-9._:-]+)["']/.exec(head)?.[1] ?? null;

/** The page may have been cut within its last character: whole ones before it tell as much. */
const looksUtf8 = (bytes: Uint8Array): boolean => {
  if (isUtf8(bytes)) {
    return true;
  }
  try {
    const whole = new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: true });
    return /[^\p{ASCII}]/u.test(whole);
  } catch {
    return false;
  }
};
