import type { IncomingMessage } from "node:http";
import { Refusal } from "../../pipeline/refusal.ts";
import { BodyPool } from "../body-pool.ts";
import { readBody } from "../read-body.ts";

/** Forms of sign-ins are short. In bytes. */
export const formBodyLimit = 16 * 1024;

const pool = new BodyPool();

export type Form = ReadonlyMap<string, string>;

/**
 * Reads an `application/x-www-form-urlencoded` body. A field given twice is refused (RFC 6749 §3.2).
 * @throws Refusal `unsupported_media_type`, `too_large`, `invalid_request`
 */
export const readForm = async (request: IncomingMessage): Promise<Form> => {
  const type = request.headers["content-type"] ?? "";
  if (!/^application\/x-www-form-urlencoded *(; *charset *= *"?utf-?8"?)? *$/i.test(type)) {
    throw new Refusal(
      "unsupported_media_type",
      "content-type must be application/x-www-form-urlencoded.",
    );
  }
  const body = await readBody(request, { bytes: formBodyLimit }, pool);
  const form = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(body.toString("utf8"))) {
    if (form.has(name)) {
      throw new Refusal("invalid_request", `${name.slice(0, 64)} is given more than once.`);
    }
    form.set(name, value);
  }
  return form;
};
