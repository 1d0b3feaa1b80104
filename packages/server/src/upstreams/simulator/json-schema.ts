import type { JsonSchema } from "./wire.ts";

const deepest = 8;

/**
 * A plausible value for a simple JSON schema: constants, enums and defaults as they stand, required
 * properties only, arrays of as many items as must be. References and combinations take the first branch.
 * @param text used for free strings
 */
export const sampleOf = (schema: unknown, text: string): unknown =>
  isSchema(schema) ? sample(schema, text, schema, 0) : text;

const sample = (schema: JsonSchema, text: string, root: JsonSchema, depth: number): unknown => {
  if ("const" in schema) {
    return schema["const"];
  }
  for (const listed of [schema["enum"], schema["examples"]]) {
    if (Array.isArray(listed) && listed.length > 0) {
      return listed[0];
    }
  }
  if ("default" in schema) {
    return schema["default"];
  }
  const branch = branchOf(schema, root);
  if (branch !== null && depth < deepest) {
    return sample(branch, text, root, depth + 1);
  }
  return ofType(schema, text, root, depth);
};

const branchOf = (schema: JsonSchema, root: JsonSchema): JsonSchema | null => {
  const reference = schema["$ref"];
  if (typeof reference === "string") {
    return follow(reference, root);
  }
  for (const choices of [schema["anyOf"], schema["oneOf"], schema["allOf"]]) {
    if (Array.isArray(choices) && isSchema(choices[0])) {
      return choices[0];
    }
  }
  return null;
};

/** A reference inside the same document, `#/$defs/Name`. */
const follow = (reference: string, root: JsonSchema): JsonSchema => {
  let place: unknown = root;
  for (const key of reference.split("/").slice(1)) {
    place = isSchema(place) ? place[key] : undefined;
  }
  return isSchema(place) ? place : {};
};

const ofType = (schema: JsonSchema, text: string, root: JsonSchema, depth: number): unknown => {
  const type = Array.isArray(schema["type"]) ? schema["type"][0] : schema["type"];
  switch (type ?? (schema["properties"] === undefined ? "string" : "object")) {
    case "object":
      return depth < deepest ? ofObject(schema, text, root, depth) : {};
    case "array":
      return depth < deepest ? ofArray(schema, text, root, depth) : [];
    case "number":
    case "integer":
      return numberOf(schema["minimum"]) ?? 0;
    case "boolean":
      return true;
    case "null":
      return null;
    default:
      return stringOf(schema, text);
  }
};

const ofObject = (schema: JsonSchema, text: string, root: JsonSchema, depth: number): unknown => {
  const properties = isSchema(schema["properties"]) ? schema["properties"] : {};
  const required = Array.isArray(schema["required"]) ? schema["required"] : [];
  return Object.fromEntries(
    required.map((name: string) => {
      const property = properties[name];
      return [name, sample(isSchema(property) ? property : {}, text, root, depth + 1)];
    }),
  );
};

const ofArray = (schema: JsonSchema, text: string, root: JsonSchema, depth: number): unknown => {
  const items = isSchema(schema["items"]) ? schema["items"] : {};
  const length = Math.min(numberOf(schema["minItems"]) ?? 1, 100);
  return Array.from({ length }, () => sample(items, text, root, depth + 1));
};

const formats: Readonly<Record<string, string>> = {
  date: "2026-01-01",
  "date-time": "2026-01-01T00:00:00Z",
  time: "00:00:00Z",
  email: "simulator@example.com",
  uri: "https://example.com/",
  uuid: "00000000-0000-4000-8000-000000000000",
};

const stringOf = (schema: JsonSchema, text: string): string => {
  const format = formats[String(schema["format"])];
  const longest = numberOf(schema["maxLength"]);
  return (format ?? text)
    .slice(0, longest ?? undefined)
    .padEnd(numberOf(schema["minLength"]) ?? 0, ".");
};

const numberOf = (value: unknown): number | null => (typeof value === "number" ? value : null);

const isSchema = (value: unknown): value is JsonSchema =>
  typeof value === "object" && value !== null && !Array.isArray(value);
