/**
 * What openapi.json says of Anthropic's own routes. The bodies are Anthropic's to define and change:
 * only the fields that decide here are named, and nothing is validated by these schemas.
 */
const security = [{ bearer: [] }, { apiKey: [] }];
const tags = ["Anthropic API"];

export const messagesRouteDocs = {
  messages: {
    tags,
    security,
    summary: "Create a message",
    description:
      "Anthropic's Messages API, streaming and not. The body goes upstream byte for byte; every model it names must be allowed.",
  },
  count_tokens: {
    tags,
    security,
    summary: "Count the tokens of a message",
    description: "Anthropic's token counting API. Costs nothing; counted against the rate limit.",
  },
  list_models: {
    tags,
    security,
    summary: "List models",
    description: "Anthropic's Models API. Query: limit, after_id, before_id.",
  },
  get_model: { tags, security, summary: "Get a model", description: "Anthropic's Models API." },
} as const;
