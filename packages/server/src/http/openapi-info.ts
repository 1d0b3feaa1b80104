/** The head of openapi.json; the routes and their schemas come from the doors. */
export const openApiInfo = (version: string) => ({
  openapi: "3.1.0",
  info: {
    title: "claude-relay",
    version,
    description: "A self-hosted gateway for Anthropic's Claude. Errors come in Anthropic's shape.",
    license: { name: "MIT", identifier: "MIT" },
  },
  components: {
    securitySchemes: {
      bearer: { type: "http" as const, scheme: "bearer" },
      apiKey: { type: "apiKey" as const, in: "header" as const, name: "x-api-key" },
    },
  },
});
