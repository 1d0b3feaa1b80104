/** Fastify's validation of our own routes by TypeBox schemas. */
import { TypeBoxValidatorCompiler } from "@fastify/type-provider-typebox";
import type { FastifySchemaValidationError } from "fastify";
import { Settings } from "typebox/system";

// TypeBox stops at 8 faults: a field with that many allowed values would hide what is wrong with the others.
Settings.Set({ maxErrors: 64 });

type Validated = { error?: FastifySchemaValidationError[] };

/**
 * As TypeBox's own compiler, but every fault also brings the piece of schema that it is about, whose description
 * says in words what a pattern says in signs.
 */
export const compileValidator: typeof TypeBoxValidatorCompiler = (route) => {
  const validate = TypeBoxValidatorCompiler(route);
  return (value: unknown) => {
    const result = validate(value) as Validated;
    return result.error === undefined
      ? result
      : { error: result.error.map((fault) => withSchema(fault, route.schema)) };
  };
};

/** `schemaPath` is a JSON pointer behind a `#`; our names have no slash or tilde to escape. */
const withSchema = (
  fault: FastifySchemaValidationError,
  root: unknown,
): FastifySchemaValidationError => {
  const keys = fault.schemaPath.split("/").slice(1);
  const schema = keys.reduce<unknown>(
    (at, key) => (typeof at === "object" && at !== null ? Reflect.get(at, key) : undefined),
    root,
  );
  return typeof schema === "object" && schema !== null ? { ...fault, ...{ schema } } : fault;
};
