import type { UpstreamOperation } from "../pipeline/types.ts";

/** The fixed table of upstream paths: nothing a caller sends builds an upstream URL. */
export const upstreamPath = (operation: UpstreamOperation): string => {
  switch (operation.kind) {
    case "messages":
      return operation.beta ? "/v1/messages?beta=true" : "/v1/messages";
    case "complete":
    case "router":
      return "/v1/messages";
    case "count_tokens":
      return operation.beta ? "/v1/messages/count_tokens?beta=true" : "/v1/messages/count_tokens";
    case "list_models": {
      const query = new URLSearchParams();
      for (const [name, value] of Object.entries(operation.query)) {
        query.set(name, String(value));
      }
      return query.size === 0 ? "/v1/models" : `/v1/models?${query}`;
    }
    case "get_model":
      return `/v1/models/${encodeURIComponent(operation.model)}`;
  }
};

export const upstreamMethod = (operation: UpstreamOperation): "GET" | "POST" =>
  operation.kind === "list_models" || operation.kind === "get_model" ? "GET" : "POST";
