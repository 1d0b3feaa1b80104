/** Lists and objects in text columns. */
export const toJson = (value: unknown): string | null =>
  value === null ? null : JSON.stringify(value);

/** Reads what `toJson` wrote. The type is the column's, which only this code writes. */
export const fromJson = <Value>(text: string | null): Value | null =>
  text === null ? null : (JSON.parse(text) as Value);
