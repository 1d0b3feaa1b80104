/** Bodies of routers' requests, read once and strictly. Lengths keep an answer, which repeats some, under its cap. */
import { RouterRefusal } from "../pipeline/router-ports.ts";

export type ProcessRequest =
  | Readonly<{ kind: "ask"; command: string; context: string | null; user: string | null }>
  | Readonly<{ kind: "confirm"; code: string; user: string | null }>;

export type ExplainRequest = Readonly<{ command: string; message: string; output: string | null }>;

const longest = {
  command: 2000,
  confirm: 32,
  context: 24_000,
  user: 64,
  original_command: 2000,
  error_message: 2000,
  command_output: 24_000,
} as const;

/** @param body JSON as parsed. @throws RouterRefusal `invalid_request` naming the field */
export const processRequest = (body: unknown): ProcessRequest => {
  const fields = objectOf(body);
  const user = printable(optional(fields, "user"), "user");
  if (fields["confirm"] === undefined) {
    return {
      kind: "ask",
      command: required(fields, "command"),
      context: optional(fields, "context"),
      user,
    };
  }
  if (fields["command"] !== undefined) {
    throw invalid("Send command or confirm, not both.");
  }
  return { kind: "confirm", code: required(fields, "confirm"), user };
};

/** @param body JSON as parsed. @throws RouterRefusal `invalid_request` naming the field */
export const explainRequest = (body: unknown): ExplainRequest => {
  const fields = objectOf(body);
  return {
    command: required(fields, "original_command"),
    message: required(fields, "error_message"),
    output: optional(fields, "command_output"),
  };
};

type Fields = Readonly<Record<string, unknown>>;

const objectOf = (body: unknown): Fields => {
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw invalid("The body must be a JSON object.");
  }
  return body as Fields;
};

const required = (fields: Fields, name: keyof typeof longest): string => {
  const text = optional(fields, name);
  if (text === null) {
    throw invalid(`${name}: is required, and must not be blank.`);
  }
  return text;
};

/** Blank is not given: a router's scripts send what they have. */
const optional = (fields: Fields, name: keyof typeof longest): string | null => {
  const value = fields[name];
  if (value === undefined || value === null) {
    return null;
  }
  if (typeof value !== "string") {
    throw invalid(`${name}: must be a string.`);
  }
  if (value.length > longest[name]) {
    throw invalid(`${name}: is longer than ${longest[name]} characters.`);
  }
  if (!value.isWellFormed()) {
    throw invalid(`${name}: holds half a character.`);
  }
  return value.trim() === "" ? null : value;
};

/** It is told to people, and must not be another's name in disguise. */
const printable = (text: string | null, name: keyof typeof longest): string | null => {
  if (text !== null && /[\p{C}\u2028\u2029]/u.test(text)) {
    throw invalid(`${name}: must hold no control, direction or invisible characters.`);
  }
  return text;
};

const invalid = (message: string): RouterRefusal => new RouterRefusal("invalid_request", message);
