import type { Range } from "./range.ts";
import { isSecretName } from "./secret-names.ts";

/** The cells below a heading like `PASSWORD` in a printed table, as far as the columns stand in line. */
export const tableSecrets = (text: string): readonly Range[] => {
  const ranges: Range[] = [];
  let columns: readonly Column[] = [];
  let start = 0;
  while (start <= text.length) {
    const newline = text.indexOf("\n", start);
    const end = newline < 0 ? text.length : newline;
    const line = text.slice(start, end);
    const heading = secretColumns(line);
    if (heading !== null) {
      columns = heading;
    } else if (line.trim() === "") {
      columns = [];
    } else {
      for (const column of columns) {
        const cell = cellIn(line, column);
        if (cell !== null) {
          ranges.push({ start: start + cell.start, end: start + cell.end });
        }
      }
    }
    start = end + 1;
  }
  return ranges;
};

/** Where a column begins, and where the next one does; null for the last. */
type Column = Readonly<{ from: number; to: number | null }>;

/** The secret columns of a heading; null when the line is none. */
const secretColumns = (line: string): readonly Column[] | null => {
  const words = [...line.matchAll(/\S+/g)];
  if (words.length < 2 || !words.every((word) => headingWord.test(word[0]))) {
    return null;
  }
  const columns: Column[] = [];
  for (const [index, word] of words.entries()) {
    if (isSecretName(word[0])) {
      // So many are no real table: the rest of each line goes, and the time stays linear.
      const last = columns.length === maxColumns - 1;
      columns.push({ from: word.index, to: last ? null : (words[index + 1]?.index ?? null) });
    }
    if (columns.length === maxColumns) {
      break;
    }
  }
  return columns;
};

const maxColumns = 16;
const headingWord = /^(?:#|[A-Z][A-Z0-9.-]*)$/;

/** A cell, widened to whole words where the columns do not stand in line. */
const cellIn = (line: string, column: Column): Range | null => {
  let start = Math.min(column.from, line.length);
  let end = Math.min(column.to ?? line.length, line.length);
  while (start > 0 && start < line.length && !isBlank(line, start - 1) && !isBlank(line, start)) {
    start--;
  }
  while (end > 0 && end < line.length && !isBlank(line, end) && !isBlank(line, end - 1)) {
    end++;
  }
  const cell = line.slice(start, end);
  const left = cell.length - cell.trimStart().length;
  const length = cell.trim().length;
  return length === 0 ? null : { start: start + left, end: start + left + length };
};

const isBlank = (line: string, at: number): boolean => line[at] === " " || line[at] === "\t";
