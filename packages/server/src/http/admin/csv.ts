/**
 * Rows as CSV (RFC 4180), the first row's keys as its head. A text that a spreadsheet would take for a
 * formula is led by an apostrophe: model and device names come from callers.
 */
export const csv = (rows: readonly Readonly<Record<string, unknown>>[]): string => {
  const [first] = rows;
  if (first === undefined) {
    return "";
  }
  const names = Object.keys(first);
  const lines = rows.map((row) => names.map((name) => cell(row[name])).join(","));
  return `${[names.map(cell).join(","), ...lines].join("\r\n")}\r\n`;
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
