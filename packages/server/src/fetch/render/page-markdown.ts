import { defaultTreeAdapter, serialize } from "parse5";
import TurndownService from "turndown";
import { attributeOf, type Element, isElement, type ParentNode } from "./html-tree.ts";
import { cellsOf, oneLine, type Readable, rowsOf } from "./readable-tree.ts";

/** A readable page as markdown: links absolute, tables of data as tables (GitHub's way). */
export const toMarkdown = ({ body, title }: Readable): string => {
  mark(body);
  const markdown = turndown.turndown(serialize(body, { scriptingEnabled: false }));
  return title === "" ? markdown : `# ${title}\n\n${markdown}`;
};

/** On the row that heads a table: how many columns the table has. */
const columnsMark = "data-columns";
const maxColumns = 100;
/** On an item of a numbered list: its number. Turndown would count its elder siblings, each time anew. */
const numberMark = "data-number";

const mark = (parent: ParentNode): void => {
  for (const child of parent.childNodes) {
    if (isElement(child)) {
      if (child.tagName === "table") {
        markTable(child);
      } else if (child.tagName === "ol") {
        markItems(child);
      }
      mark(child);
    }
  }
};

const markItems = (list: Element): void => {
  let number = Math.trunc(Number(attributeOf(list, "start") ?? 1)) || 1;
  for (const item of list.childNodes) {
    if (isElement(item) && item.tagName === "li") {
      item.attrs.push({ name: numberMark, value: String(number) });
      number += 1;
    }
  }
};

/** A markdown table is as wide as its first row, so that row is filled up. */
const markTable = (table: Element): void => {
  const rows = rowsOf(table);
  const [first] = rows;
  if (first === undefined) {
    return;
  }
  const columns = Math.min(
    maxColumns,
    rows.map(width).reduce((a, b) => Math.max(a, b), 0),
  );
  for (let missing = columns - width(first); missing > 0; missing -= 1) {
    const cell = defaultTreeAdapter.createElement("td", first.namespaceURI, []);
    defaultTreeAdapter.appendChild(first, cell);
  }
  first.attrs.push({ name: columnsMark, value: String(columns) });
};

const width = (row: Element): number =>
  cellsOf(row).reduce((sum, cell) => sum + spanOf(attributeOf(cell, "colspan")), 0);

const spanOf = (colspan: string | null): number =>
  Math.min(Math.max(1, Math.trunc(Number(colspan)) || 1), maxColumns);

/** What the rules read of the nodes turndown hands them; its own types want the browser's DOM. */
type Node = Readonly<{ getAttribute(name: string): string | null; nextSibling: unknown }>;

const turndown = new TurndownService({
  headingStyle: "atx",
  hr: "---",
  bulletListMarker: "-",
  codeBlockStyle: "fenced",
  emDelimiter: "*",
});

turndown.addRule("cell", {
  filter: ["td", "th"],
  replacement: (content: string, node: Node) => {
    const text = oneLine(content).replaceAll("|", "\\|");
    return ` ${text} |${"  |".repeat(spanOf(node.getAttribute("colspan")) - 1)}`;
  },
});

turndown.addRule("row", {
  filter: "tr",
  replacement: (content: string, node: Node) => {
    const columns = Number(node.getAttribute(columnsMark) ?? 0);
    return `\n|${content}\n${columns > 0 ? `|${" --- |".repeat(columns)}\n` : ""}`;
  },
});

turndown.addRule("rows", {
  filter: ["thead", "tbody", "tfoot"],
  replacement: (content: string) => content,
});

turndown.addRule("table", {
  filter: "table",
  replacement: (content: string) => `\n\n${content.trim()}\n\n`,
});

turndown.addRule("caption", {
  filter: "caption",
  replacement: (content: string) => `\n\n${oneLine(content)}\n\n`,
});

/** Turndown's own puts three spaces after the mark. */
turndown.addRule("item", {
  filter: "li",
  replacement: (content: string, node: Node) => {
    const number = node.getAttribute(numberMark);
    const start = number === null ? "- " : `${number}. `;
    const text = content.trim().replaceAll("\n", `\n${" ".repeat(start.length)}`);
    return `${start}${text}${node.nextSibling === null ? "" : "\n"}`;
  },
});
