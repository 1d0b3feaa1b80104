/** A cell; numbers are set to the right. */
export type Cell = string | number;

/** Columns padded to the widest cell, two spaces apart; one line each, without trailing spaces. */
export const table = (
  headings: readonly string[],
  rows: readonly (readonly Cell[])[],
): string[] => {
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...rows.map((row) => String(row[column] ?? "").length)),
  );
  const line = (cells: readonly Cell[], right: readonly boolean[]): string =>
    cells
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return right[column] ? String(cell).padStart(width) : String(cell).padEnd(width);
      })
      .join("  ")
      .trimEnd();
  const numeric = headings.map((_, column) => typeof rows[0]?.[column] === "number");
  return [line(headings, numeric), ...rows.map((row) => line(row, numeric))];
};
