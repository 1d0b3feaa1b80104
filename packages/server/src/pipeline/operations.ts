import type { Door } from "@claude-relay/contract";
import type { Operation } from "./types.ts";

/** What upstream answers with a model, and charges for. */
export const modelCalls = [
  "messages",
  "complete",
  "router",
] as const satisfies readonly Operation["kind"][];

/** Whether it is one of them. */
export const isModelCall = (kind: Operation["kind"]): boolean =>
  kind === "messages" || kind === "complete" || kind === "router";

/** The door an operation comes in by; null for the list of models, which every key may read, and where no key comes in. */
export const doorOf = (kind: Operation["kind"]): Door | null => {
  switch (kind) {
    case "complete":
    case "fetch":
      return kind;
    case "messages":
    case "count_tokens":
      return "messages";
    case "list_models":
    case "get_model":
    case "router":
      return null;
  }
};
