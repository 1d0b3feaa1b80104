import { shownJson } from "./shown-json.ts";
import type { Terminal } from "./terminal.ts";

type Options<Row> = Readonly<{
  json: boolean | undefined;
  table: (rows: readonly Row[]) => readonly string[];
  /** What to do when there is none. */
  hint: string;
}>;

/** Prints a list as a table, or as JSON. */
export const printList = <Row>(
  terminal: Terminal,
  rows: readonly Row[],
  { json, table, hint }: Options<Row>,
): void => {
  if (json) {
    terminal.print(shownJson(rows));
  } else if (rows.length === 0) {
    terminal.note(hint);
  } else {
    for (const line of table(rows)) {
      terminal.print(line);
    }
  }
};
