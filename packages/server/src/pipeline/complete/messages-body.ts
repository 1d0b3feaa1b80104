import type { CompleteRequest, ModelId } from "@claude-relay/contract";

/** How an upstream is told of a JSON Schema: by the API's own field, or in words. */
export type StructuredOutput = "native" | "prompt";

/** Enough for a long answer; a caller who needs more, or less, says so. */
const defaultMaxTokens = 16_000;

/**
 * One prompt as the body of a Messages request. It always streams: usage is then known even of an answer
 * that breaks off, and a long one is not mistaken for a dead connection.
 */
export const messagesBody = (
  wanted: CompleteRequest,
  modelId: ModelId,
  structured: StructuredOutput,
): Buffer => {
  const { json_schema: schema } = wanted;
  const inWords = schema !== undefined && structured === "prompt";
  const system = inWords ? withSchema(wanted.system, schema) : wanted.system;
  return Buffer.from(
    JSON.stringify({
      model: modelId,
      max_tokens: wanted.max_tokens ?? defaultMaxTokens,
      ...(system !== undefined && system !== "" && { system }),
      messages: [{ role: "user", content: wanted.prompt }],
      ...(schema !== undefined &&
        !inWords && { output_config: { format: { type: "json_schema", schema } } }),
      stream: true,
    }),
  );
};

const withSchema = (system: string | undefined, schema: object): string =>
  [
    ...(system ? [system, ""] : []),
    "Answer with one JSON value and nothing else: no code fence, no words before or after it.",
    "It must be valid against this JSON Schema:",
    JSON.stringify(schema),
  ].join("\n");
