import type { TestContext } from "node:test";
import Anthropic from "@anthropic-ai/sdk";
import { createSimulator, type Simulator, type SimulatorOptions } from "./server.ts";

/** A running simulator and the real SDK pointed at it, both gone when the test ends. */
export const startSimulator = async (
  t: TestContext,
  options: SimulatorOptions = {},
): Promise<{ simulator: Simulator; baseURL: string; client: Anthropic }> => {
  const simulator = createSimulator({ record: true, ...options });
  const baseURL = await simulator.listen();
  t.after(() => simulator.close());
  return {
    simulator,
    baseURL,
    client: new Anthropic({ baseURL, apiKey: "test-key", maxRetries: 0 }),
  };
};

/** Request options of the SDK that name a scenario. */
export const scenario = (name: string) => ({ headers: { "x-simulator-scenario": name } });

/** The smallest body: one user message. */
export const ask = (content: string) => ({
  model: "claude-haiku-4-5",
  max_tokens: 1024,
  messages: [{ role: "user" as const, content }],
});

/** Posts a body without any SDK. */
export const post = (baseURL: string, body: unknown, headers: Record<string, string> = {}) =>
  fetch(`${baseURL}/v1/messages`, {
    method: "POST",
    headers: { "x-api-key": "test-key", "anthropic-version": "2023-06-01", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
