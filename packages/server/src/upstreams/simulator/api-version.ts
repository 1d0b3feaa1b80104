import type { IncomingHttpHeaders } from "node:http";
import { invalid } from "./api-error.ts";
import { blocksOf } from "./tokens.ts";
import type { MessagesBody } from "./wire.ts";

/** The versions a client may ask for. https://platform.claude.com/docs/en/api/versioning */
export type ApiVersion = "2023-06-01" | "2026-10-21";

/** @throws ApiError 400 without `anthropic-version`, or with one there is not */
export const versionOf = (headers: IncomingHttpHeaders): ApiVersion => {
  const version = headers["anthropic-version"];
  if (version === undefined) {
    throw invalid("anthropic-version: header is required");
  }
  if (version !== "2023-06-01" && version !== "2026-10-21") {
    throw invalid(`anthropic-version: "${String(version)}" is not a valid version`);
  }
  return version;
};

const removed = ["temperature", "top_p", "top_k"];

/**
 * Refuses what version 2026-10-21 no longer takes.
 * https://platform.claude.com/docs/en/api/migration-2026-10-21
 * @throws ApiError 400
 */
export const checkVersionRules = (body: MessagesBody, version: ApiVersion): void => {
  if (version === "2023-06-01") {
    return;
  }
  const field = removed.find((name) => Object.hasOwn(body, name));
  if (field !== undefined) {
    throw invalid(`${field}: Extra inputs are not permitted`);
  }
  body.messages.forEach(({ role, content }, index) => {
    blocksOf(content).forEach(({ type, citations }, at) => {
      const place = `messages.${index}.content.${at}`;
      if (role === "assistant" && type === "document") {
        throw invalid(`${place}: document blocks are not permitted in assistant messages`);
      }
      if (role === "user" && type === "text" && Array.isArray(citations) && citations.length > 0) {
        throw invalid(`${place}.text.citations: citations are not permitted in user messages`);
      }
    });
  });
};
