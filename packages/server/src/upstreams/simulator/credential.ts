import type { IncomingHttpHeaders } from "node:http";
import { ApiError } from "./api-error.ts";

/** Which keys are good: a list, or a test of each. */
export type AcceptKeys = readonly string[] | ((key: string) => boolean);

/**
 * Checks the credential. `x-api-key` counts before `Authorization: Bearer`, in which SDKs since
 * version 2026-10-21 send API keys too.
 * @returns the key
 * @throws ApiError 401 for a missing or refused key
 */
export const checkCredential = (headers: IncomingHttpHeaders, acceptKeys: AcceptKeys): string => {
  const apiKey = headers["x-api-key"];
  const bearer = /^Bearer\s+(\S+)$/i.exec(headers.authorization ?? "")?.[1];
  const key = typeof apiKey === "string" && apiKey !== "" ? apiKey : bearer;
  if (key === undefined) {
    throw new ApiError(401, "x-api-key header is required");
  }
  const isGood = typeof acceptKeys === "function" ? acceptKeys(key) : acceptKeys.includes(key);
  if (!isGood) {
    throw new ApiError(401, key === bearer ? "Invalid bearer token" : "invalid x-api-key");
  }
  return key;
};
