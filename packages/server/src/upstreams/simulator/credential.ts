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
  if (!accepts(acceptKeys, key)) {
    throw new ApiError(401, key === bearer ? "Invalid bearer token" : "invalid x-api-key");
  }
  return key;
};

/**
 * Checks the credential of the Admin API, whose keys come in `x-api-key` alone and open nothing else.
 * @returns the key
 * @throws ApiError 401 for a missing or refused key; one for messages is refused
 */
export const checkAdminKey = (headers: IncomingHttpHeaders, acceptKeys: AcceptKeys): string => {
  const key = headers["x-api-key"];
  if (typeof key !== "string" || key === "") {
    throw new ApiError(401, "x-api-key header is required");
  }
  if (!accepts(acceptKeys, key)) {
    throw new ApiError(401, "invalid x-api-key");
  }
  return key;
};

const accepts = (keys: AcceptKeys, key: string): boolean =>
  typeof keys === "function" ? keys(key) : keys.includes(key);
