import type { ModelId } from "@claude-relay/contract";

/** The short names of `/v1/complete`, pinned to full ids of ours: an upgrade is our decision, not a CLI's. */
export const modelAliases: Readonly<Record<string, ModelId>> = {
  opus: "claude-opus-5-5" as ModelId,
  sonnet: "claude-sonnet-5-5" as ModelId,
  haiku: "claude-haiku-5-5" as ModelId,
};

/** The full id a name stands for; any other name stands for itself. */
export const resolveModel = (name: string): ModelId =>
  Object.hasOwn(modelAliases, name) ? (modelAliases[name] as ModelId) : (name as ModelId);
