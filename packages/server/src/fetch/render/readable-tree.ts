import {
  attributeOf,
  type ChildNode,
  contentOf,
  type Document,
  type Element,
  findElement,
  isElement,
  type ParentNode,
  textOf,
} from "./html-tree.ts";
import { Links } from "./links.ts";

/** Nothing in these reads as text. */
const unreadable = new Set(
  "script style svg template iframe object embed canvas audio video map datalist frameset link meta base".split(
    " ",
  ),
);

/** Attributes that mean something in markdown. */
const kept = new Set("href src alt title colspan class start".split(" "));

export type Readable = Readonly<{ body: ParentNode; title: string }>;

/**
 * What a reader sees of a page: its body without what does not read, links absolute, layout tables flattened.
 * The title is given only when the page shows no heading of its own. Changes the tree it is given.
 */
export const toReadable = (document: Document, pageUrl: string): Readable => {
  const head = findElement(document, "head");
  const links = new Links(baseOf(head), pageUrl);
  const titleElement = head === null ? null : findElement(head, "title");
  const body = findElement(document, "body") ?? document;
  clean(body, links);
  const title = titleElement === null ? "" : oneLine(textOf(titleElement));
  return { body, title: findElement(body, "h1") === null ? title : "" };
};

export const oneLine = (text: string): string => text.replace(/\s+/g, " ").trim();

const baseOf = (head: Element | null): string | null => {
  const element = head === null ? null : findElement(head, "base");
  return element === null ? null : attributeOf(element, "href");
};

const clean = (parent: ParentNode, links: Links): void => {
  parent.childNodes = parent.childNodes.filter(isReadable);
  for (const child of parent.childNodes) {
    if (isElement(child)) {
      cleanElement(child, links);
      clean(contentOf(child), links);
    }
  }
  parent.childNodes = parent.childNodes.filter((child) => !isEmptyLink(child));
};

const isReadable = (node: ChildNode): boolean =>
  isElement(node)
    ? !unreadable.has(node.tagName)
    : node.nodeName !== "#comment" && node.nodeName !== "#documentType";

const cleanElement = (element: Element, links: Links): void => {
  element.attrs = element.attrs
    .filter(({ name }) => kept.has(name))
    .flatMap((attribute) => {
      if (attribute.name !== "href" && attribute.name !== "src") {
        return attribute;
      }
      const url = links.resolve(attribute.value);
      return url === null ? [] : { ...attribute, value: url };
    });
  if (element.tagName === "table" && !isDataTable(element)) {
    flattenTable(element);
  }
};

const isEmptyLink = (node: ChildNode): boolean =>
  isElement(node) &&
  node.tagName === "a" &&
  node.childNodes.length < 5 &&
  textOf(node).trim() === "" &&
  findElement(node, "img") === null;

/** A table of data has rows of several cells, and no table inside; others only place things on the page. */
const isDataTable = (table: Element): boolean => {
  const rows = rowsOf(table);
  return (
    rows.length > 1 &&
    rows.some((row) => cellsOf(row).length > 1) &&
    findElement(table, "table") === null
  );
};

export const rowsOf = (table: Element): Element[] =>
  table.childNodes
    .filter(isElement)
    .flatMap((child) =>
      child.tagName === "tr"
        ? [child]
        : /^t(?:head|body|foot)$/.test(child.tagName)
          ? child.childNodes.filter(isElement).filter(({ tagName }) => tagName === "tr")
          : [],
    );

export const cellsOf = (row: Element): Element[] =>
  row.childNodes.filter(isElement).filter(({ tagName }) => tagName === "td" || tagName === "th");

const flattenTable = (table: Element): void => {
  for (const row of rowsOf(table)) {
    for (const cell of [row, ...cellsOf(row)]) {
      rename(cell);
    }
  }
  for (const part of table.childNodes.filter(isElement)) {
    rename(part);
  }
  rename(table);
};

const rename = (element: Element): void => {
  element.tagName = "div";
  element.nodeName = "div";
};
