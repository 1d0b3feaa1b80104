import Anthropic from "@anthropic-ai/sdk";

/**
 * Until an answer begins: a relay may have a request wait for its turn. A little less than Node's own fetch
 * waits, which would tell it as a broken connection.
 */
const longestWaitMs = 290_000;

/**
 * Anthropic's SDK, pointed at the relay. Every option that an ANTHROPIC_* variable could fill is given; what
 * remains of them (ANTHROPIC_CUSTOM_HEADERS) ends at `relayFetch`. It logs nothing: prompts would be in it.
 */
export const createAnthropicClient = (
  relayUrl: string,
  token: string,
  relayFetch: typeof fetch,
): Anthropic =>
  new Anthropic({
    baseURL: relayUrl,
    authToken: token,
    apiKey: null,
    webhookKey: null,
    fetch: relayFetch,
    maxRetries: 0,
    timeout: longestWaitMs,
    logLevel: "off",
    openTelemetry: false,
  });
