import type { IncomingHttpHeaders } from "node:http";
import { Refusal } from "./refusal.ts";

const keyPrefix = "sk-ant-proxy-";

/**
 * The one credential of a request, from `Authorization: Bearer` or `x-api-key`, without the
 * `sk-ant-proxy-` prefix that some clients demand. Claude Code's token helper sends the same
 * token in both headers; two different ones are refused, for which of them counts must never be a guess.
 * @throws Refusal `credential_invalid`, or `credential_expired` (retryable) for an empty one,
 *   which is what Claude Code sends while its token helper fails
 */
export const readCredential = (headers: IncomingHttpHeaders): string => {
  const bearer = readBearer(headers.authorization);
  const key = readKey(headers["x-api-key"]);
  if (bearer !== null && key !== null && bearer !== key) {
    throw new Refusal(
      "credential_invalid",
      "Authorization and x-api-key hold two different credentials: send one, or the same in both.",
    );
  }
  const credential = bearer ?? key;
  if (credential === null) {
    throw new Refusal(
      "credential_invalid",
      "A credential is required: send your app key or wrapper token as 'Authorization: Bearer <token>' or in x-api-key.",
    );
  }
  if (credential === "") {
    throw new Refusal("credential_expired", "The credential is empty. Please refresh your token.");
  }
  return credential;
};

const readBearer = (header: string | undefined): string | null => {
  if (header === undefined) {
    return null;
  }
  if (!/^bearer( |$)/i.test(header)) {
    throw new Refusal("credential_invalid", "Authorization must read 'Bearer <token>'.");
  }
  return withoutPrefix(header.slice("bearer ".length).trim());
};

const readKey = (header: string | string[] | undefined): string | null =>
  header === undefined ? null : withoutPrefix(String(header).trim());

const withoutPrefix = (token: string): string =>
  token.startsWith(keyPrefix) ? token.slice(keyPrefix.length) : token;
