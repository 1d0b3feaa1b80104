/**
 * Rows as CSV (RFC 4180) under a head of the columns' names, which is there without rows too. A text that a spreadsheet would take for a
 * formula is led by an apostrophe: model and device names come from callers.
 */
export const csv = (
  columns: readonly string[],
  rows: readonly Readonly<Record<string, unknown>>[],
): string => {
  const lines = rows.map((row) => columns.map((name) => cell(row[name])).join(","));
  return `${[columns.map(cell).join(","), ...lines].join("\r\n")}\r\n`;
};

const cell = (value: unknown): string => {
  if (value === null || value === undefined) {
    return "";
  }
  if (typeof value === "number" || typeof value === "boolean") {
    return String(value);
  }
  const text = typeof value === "string" ? value : JSON.stringify(value);
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
};
