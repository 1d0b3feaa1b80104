import { serialize } from "parse5";
import {
  attributeOf,
  type ChildNode,
  contentOf,
  type Document,
  isElement,
  type ParentNode,
} from "./html-tree.ts";

const dropped = new Set(["style", "svg"]);

/** HTML without scripts, styles, svg and comments; JSON-LD, which tells what a page is about, stays. */
export const stripHtml = (document: Document): string => {
  strip(document);
  return serialize(document, { scriptingEnabled: false });
};

const strip = (parent: ParentNode): void => {
  parent.childNodes = parent.childNodes.filter((child) => !isDropped(child));
  for (const child of parent.childNodes) {
    if (isElement(child)) {
      strip(contentOf(child));
    }
  }
};

const isDropped = (node: ChildNode): boolean => {
  if (!isElement(node)) {
    return node.nodeName === "#comment";
  }
  return node.tagName === "script"
    ? !/^\s*application\/ld\+json\s*(?:;|$)/i.test(attributeOf(node, "type") ?? "")
    : dropped.has(node.tagName);
};
