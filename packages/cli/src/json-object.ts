export type JsonObject = Record<string, unknown>;

/** The JSON object a text holds, or null for any other text. The parser's own message would quote it, secrets and all. */
export const parseObject = (text: string): JsonObject | null => {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
};

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);
