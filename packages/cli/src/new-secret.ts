import type { AdminClient } from "./admin-client.ts";
import { Fault } from "./fault.ts";

/**
 * The secret in an answer: only what looks like one of ours is printed as one.
 * @param what it is, in words, such as `key`
 * @throws Fault when the relay answers something else
 */
export const newSecret = (
  { secret }: Record<string, unknown>,
  { url }: AdminClient,
  form: RegExp,
  what: string,
): string => {
  if (typeof secret !== "string" || !form.test(secret)) {
    throw new Fault(
      `The relay at ${url} answered without a ${what}: its version does not fit this one.`,
    );
  }
  return secret;
};
