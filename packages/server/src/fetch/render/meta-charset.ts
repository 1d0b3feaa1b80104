/**
 * The charset a document's first bytes name in a `<meta>`, read as browsers read it before they can parse
 * (WHATWG HTML, "prescan a byte stream to determine its encoding"). `head`: the first 1024 bytes as latin1.
 */
export const metaCharset = (head: string): string | null => {
  let at = 0;
  while (at < head.length) {
    const open = head.indexOf("<", at);
    if (open === -1) {
      return null;
    }
    const rest = head.slice(open);
    if (rest.startsWith("<!--")) {
      at = after(head, "-->", open + 2);
    } else if (/^<meta[\s/]/i.test(rest)) {
      const tag = readAttributes(head, open + 5);
      const charset = charsetIn(tag.attributes);
      if (charset !== null) {
        return charset;
      }
      at = tag.end;
    } else if (/^<\/?[a-z]/i.test(rest)) {
      const name = /^<\/?[^\s>]*/.exec(rest)?.[0].length ?? 1;
      at = readAttributes(head, open + name).end;
    } else if (/^<[!/?]/.test(rest)) {
      at = after(head, ">", open);
    } else {
      at = open + 1;
    }
  }
  return null;
};

const after = (head: string, mark: string, from: number): number => {
  const found = head.indexOf(mark, from);
  return found === -1 ? head.length : found + mark.length;
};

const charsetIn = (attributes: ReadonlyMap<string, string>): string | null => {
  const isPragma = attributes.get("http-equiv")?.toLowerCase() === "content-type";
  const label =
    attributes.get("charset") ?? (isPragma ? charsetInContent(attributes.get("content")) : null);
  return label === null ? null : asReadable(label);
};

const charsetInContent = (content: string | undefined): string | null => {
  const found = /charset\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s;"']+))/i.exec(content ?? "");
  return found?.[1] ?? found?.[2] ?? found?.[3] ?? null;
};

/** The meta was readable byte by byte, so the document is not UTF-16 whatever it says. */
const asReadable = (label: string): string => {
  const name = label.trim().toLowerCase();
  if (/^(?:utf-16(?:le|be)?|unicode|ucs-2|csunicode|iso-10646-ucs-2)$/.test(name)) {
    return "utf-8";
  }
  return name === "x-user-defined" ? "windows-1252" : name;
};

const attribute =
  /[\s/]*([^\s/>=][^\s/>=]*)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"'][^\s>]*)|(?=>)))?/y;

/** Reads attributes up to the tag's end; the first of a name counts. */
const readAttributes = (
  head: string,
  from: number,
): Readonly<{ attributes: ReadonlyMap<string, string>; end: number }> => {
  const attributes = new Map<string, string>();
  let end = from;
  attribute.lastIndex = from;
  for (let match = attribute.exec(head); match !== null; match = attribute.exec(head)) {
    const name = (match[1] ?? "").toLowerCase();
    if (!attributes.has(name)) {
      attributes.set(name, match[2] ?? match[3] ?? match[4] ?? "");
    }
    end = attribute.lastIndex;
  }
  const close = head.indexOf(">", end);
  return { attributes, end: close === -1 ? head.length : close + 1 };
};
