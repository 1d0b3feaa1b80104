import { Refusal } from "../pipeline/refusal.ts";

/** One thing a schema found wrong (TypeBox's spelling, after JSON Schema's). */
export type SchemaFault = Readonly<{
  keyword: string;
  instancePath: string;
  schemaPath?: string;
  params?: Readonly<Record<string, unknown>>;
  message?: string | undefined;
  /** The piece of schema that found it. */
  schema?: FieldSchema;
}>;

type FieldSchema = Readonly<{
  type?: string;
  const?: unknown;
  pattern?: string;
  format?: string;
  description?: string;
  properties?: Readonly<Record<string, FieldSchema>>;
  anyOf?: readonly FieldSchema[];
}>;

/** What is said of one field. */
type Words = {
  /** What it must be: any of these. */
  readonly mustBe: Set<string>;
  /** Whole clauses. */
  readonly says: Set<string>;
  /** null would do too. */
  nullable: boolean;
};

/** Says in words which fields are wrong and what they must be. */
export const refusalForSchema = (
  faults: readonly SchemaFault[],
  part: string | undefined,
): Refusal => {
  const byField = new Map<string, Words>();
  const of = (field: string): Words => {
    const known = byField.get(field);
    if (known !== undefined) {
      return known;
    }
    const fresh = { mustBe: new Set<string>(), says: new Set<string>(), nullable: false };
    byField.set(field, fresh);
    return fresh;
  };
  for (const fault of faults) {
    if (!echoes.has(fault.keyword)) {
      describe(fault, part ?? "body", of);
    }
  }
  if (byField.size === 0) {
    // So many of them that TypeBox stopped before it had said what they mean.
    for (const fault of faults.slice(0, mostSaid)) {
      of(pathOf(fault) || (part ?? "body")).says.add("unknown field: leave it out");
    }
  }
  const sentences = [...byField].flatMap(([field, words]) => {
    const isAround = [...byField.keys()].some((other) => other.startsWith(`${field}.`));
    const sentence = sentenceOf(words, isAround);
    return sentence === null ? [] : [`${field}: ${sentence}`];
  });
  return new Refusal("invalid_request", `${sentences.slice(0, mostSaid).join("; ")}.`);
};

/** Fields told of at a time. */
const mostSaid = 8;

/** Keywords that only repeat what another fault of the same field says. */
const echoes = new Set(["anyOf", "oneOf", "boolean"]);

const describe = (fault: SchemaFault, part: string, of: (field: string) => Words): void => {
  const path = pathOf(fault);
  const inside = (name: unknown): string => (path === "" ? String(name) : `${path}.${name}`);
  const { requiredProperties, additionalProperties } = fault.params ?? {};
  if (Array.isArray(requiredProperties)) {
    for (const name of requiredProperties) {
      of(inside(name)).says.add(`field required${wantedOf(fault.schema?.properties?.[name])}`);
    }
  } else if (Array.isArray(additionalProperties)) {
    for (const name of additionalProperties.slice(0, mostSaid)) {
      of(inside(name)).says.add(`unknown field: leave it out${knownFields(fault)}`);
    }
  } else {
    judge(fault, of(path === "" ? part : path));
  }
};

/** What a field that is missing may be, after a colon; nothing where any text would do. */
const wantedOf = (schema: FieldSchema | undefined): string => {
  const options = (schema?.anyOf ?? [schema]).filter((one) => one?.type !== "null");
  const forms = options.map((one) => (one === undefined ? null : oneForm(one)));
  return forms.some((form) => form === null) ? "" : `: ${listed(forms.map(String), "or")}`;
};

const oneForm = (schema: FieldSchema): string | null => {
  if (schema.const !== undefined) {
    return JSON.stringify(schema.const);
  }
  if (schema.pattern !== undefined || schema.format !== undefined) {
    return formOf(schema);
  }
  return schema.type === undefined || schema.type === "string" ? null : typeWords(schema);
};

const typeWords = ({ type, properties }: FieldSchema): string => {
  const names = Object.keys(properties ?? {});
  const inside = names.length === 0 ? "" : ` with ${listed(names, "and")}`;
  return `${typeNames[String(type)] ?? String(type)}${inside}`;
};

const pathOf = ({ instancePath }: SchemaFault): string =>
  instancePath.replace(/^\//, "").replaceAll("/", ".");

const knownFields = ({ schema }: SchemaFault): string => {
  const names = Object.keys(schema?.properties ?? {});
  return names.length === 0 ? "" : ` (known are ${listed(names, "and")})`;
};

/** What one keyword demands, in words. https://json-schema.org/draft/2020-12/json-schema-validation */
const judge = (fault: SchemaFault, words: Words): void => {
  const { type, allowedValue } = fault.params ?? {};
  if (fault.keyword === "type" && type === "null") {
    words.nullable = true;
  } else if (fault.keyword === "type") {
    // Of a value that may be one of several, the const says it.
    if (fault.schema?.const === undefined) {
      const inside = fault.instancePath === "" ? {} : fault.schema;
      words.mustBe.add(typeWords({ ...inside, type: String(type) }));
    }
  } else if (fault.keyword === "const") {
    words.mustBe.add(JSON.stringify(allowedValue));
  } else if (fault.keyword === "pattern" || fault.keyword === "format") {
    words.mustBe.add(formOf(fault.schema ?? {}));
  } else {
    words.says.add(boundOf(fault));
  }
};

const typeNames: Readonly<Record<string, string>> = {
  object: "a JSON object",
  array: "a JSON array",
  string: "a string",
  integer: "a whole number",
  number: "a number",
  boolean: "true or false",
};

const formOf = ({ format, description }: FieldSchema): string => {
  if (format === "date-time") {
    return "a date and time with its zone, such as 2026-01-31T12:00:00Z";
  }
  return description === undefined
    ? "in the form that openapi.json gives for this field"
    : description
        .replace(/^[A-Z](?![A-Z])/, (first) => first.toLowerCase())
        // Between fields stands a semicolon.
        .replaceAll("; ", ", ");
};

const boundOf = ({ keyword, params, message }: SchemaFault): string => {
  const limit = Number(params?.["limit"]);
  switch (keyword) {
    case "minimum":
      return `must be ${limit} or more`;
    case "maximum":
      return `must be ${limit} or less`;
    case "exclusiveMinimum":
      return `must be more than ${limit}`;
    case "exclusiveMaximum":
      return `must be less than ${limit}`;
    case "minLength":
      return limit === 1
        ? "must not be empty: give a value or leave it out"
        : `must have at least ${limit} characters`;
    case "maxLength":
      return `must have at most ${limit} characters`;
    case "minItems":
      return `must have at least ${limit} entries`;
    case "maxItems":
      return `must have at most ${limit} entries`;
    case "minProperties":
      return "is empty: send at least one field";
    default:
      return message ?? "is not valid";
  }
};

/**
 * @param isAround something in the field is wrong: what else would do in its place is no help then
 * @returns null when there is nothing to say
 */
const sentenceOf = ({ mustBe, says, nullable }: Words, isAround: boolean): string | null => {
  if (isAround && says.size === 0) {
    return null;
  }
  if (mustBe.size === 0 && says.size === 0) {
    return nullable ? "must be null" : null;
  }
  const wanted = nullable && says.size === 0 ? [...mustBe, "null"] : [...mustBe];
  const clauses = wanted.length === 0 ? [...says] : [`must be ${listed(wanted, "or")}`, ...says];
  return `${clauses.join(", ")}${nullable && says.size > 0 ? " (or be null)" : ""}`;
};

/** "a, b or c" */
const listed = (names: readonly string[], word: "and" | "or"): string => {
  const last = names.at(-1) ?? "";
  return names.length < 2 ? last : `${names.slice(0, -1).join(", ")} ${word} ${last}`;
};
