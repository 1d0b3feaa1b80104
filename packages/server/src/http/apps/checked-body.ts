import type { Static, TSchema } from "typebox";
import { Compile } from "typebox/compile";
import { Refusal } from "../../pipeline/refusal.ts";
import { refusalForSchema } from "../schema-faults.ts";

/**
 * Compiles a body's schema, for doors that read the body themselves.
 * @returns the body as the schema's type. @throws Refusal `invalid_request` naming the fields
 */
export const checkedBody = <Schema extends TSchema>(
  schema: Schema,
): ((body: unknown) => Static<Schema>) => {
  const compiled = Compile(schema);
  return (body) => {
    if (body === undefined) {
      throw new Refusal("invalid_request", "The body is empty: send a JSON object.");
    }
    if (!compiled.Check(body)) {
      throw refusalForSchema(compiled.Errors(body), "body");
    }
    return body as Static<Schema>;
  };
};
