import { type DefaultTreeAdapterTypes, defaultTreeAdapter, parse } from "parse5";

export type Document = DefaultTreeAdapterTypes.Document;
export type Element = DefaultTreeAdapterTypes.Element;
export type ChildNode = DefaultTreeAdapterTypes.ChildNode;
export type ParentNode = DefaultTreeAdapterTypes.ParentNode;

/** Browsers cut a tree at the same depth. Each tag costs a walk up the open ones, so depth makes time quadratic. */
const maxDepth = 512;
/** Large pages have 5,000 to 50,000. `<p>x` after forty unclosed `<b>` makes forty of four bytes: hence a bound. */
const maxNodes = 100_000;

class TooLarge extends Error {}

type ParsedPage = Readonly<{
  document: Document;
  /** False when the page was deeper or larger than we build; the tree then ends there. */
  complete: boolean;
}>;

/** Parses HTML by the standard's algorithm, as without scripting (so that noscript has content), within bounds. */
export const parseHtml = (html: string): ParsedPage => {
  let document = defaultTreeAdapter.createDocument();
  let nodes = 0;
  let depth = 0;
  const count = (): void => {
    nodes += 1;
    if (nodes > maxNodes) {
      throw new TooLarge();
    }
  };
  const treeAdapter: typeof defaultTreeAdapter = {
    ...defaultTreeAdapter,
    createDocument() {
      document = defaultTreeAdapter.createDocument();
      return document;
    },
    createElement(tagName, namespaceURI, attrs) {
      count();
      return defaultTreeAdapter.createElement(tagName, namespaceURI, attrs);
    },
    createCommentNode(data) {
      count();
      return defaultTreeAdapter.createCommentNode(data);
    },
    onItemPush() {
      depth += 1;
      if (depth > maxDepth) {
        throw new TooLarge();
      }
    },
    onItemPop() {
      depth -= 1;
    },
  };
  try {
    parse(html, { treeAdapter, scriptingEnabled: false });
    return { document, complete: true };
  } catch (error) {
    if (error instanceof TooLarge) {
      return { document, complete: false };
    }
    throw error;
  }
};

export const isElement = (node: ChildNode): node is Element => "tagName" in node;

export const attributeOf = (element: Element, name: string): string | null =>
  element.attrs.find((attribute) => attribute.name === name)?.value ?? null;

/** The children an element shows: a template keeps its own elsewhere. */
export const contentOf = (element: Element): ParentNode =>
  "content" in element ? (element as DefaultTreeAdapterTypes.Template).content : element;

/** The first element of that name, in document order. */
export const findElement = (root: ParentNode, tagName: string): Element | null => {
  for (const child of root.childNodes) {
    if (!isElement(child)) {
      continue;
    }
    const found = child.tagName === tagName ? child : findElement(child, tagName);
    if (found !== null) {
      return found;
    }
  }
  return null;
};

/** All text below a node. */
export const textOf = (node: ParentNode): string =>
  node.childNodes
    .map((child) => ("value" in child ? child.value : isElement(child) ? textOf(child) : ""))
    .join("");
