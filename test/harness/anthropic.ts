/**
 * A relay with Anthropic behind it, as far as the relay can tell: the simulator, recording, which takes
 * no key but the relay's own.
 */
import {
  createSimulator,
  type Simulator,
  type SimulatorOptions,
} from "../../packages/server/src/upstreams/simulator/server.ts";
import { type Relay, type RelayOptions, startRelay } from "./relay.ts";
import { masterKey } from "./secrets.ts";

export type Setting = Readonly<{
  relay: Relay;
  /** A wrapper token of `test-device-0001`. */
  token: string;
  simulator: Simulator;
  upstreamUrl: string;
  /** Stops both. Gives the relay's exit code. */
  stop(): Promise<number | null>;
}>;

export type SettingOptions = RelayOptions & Readonly<{ simulator?: SimulatorOptions }>;

export const startSetting = async (options: SettingOptions = {}): Promise<Setting> => {
  const simulator = createSimulator({
    record: true,
    acceptKeys: [masterKey],
    ...options.simulator,
  });
  const upstreamUrl = await simulator.listen();
  const relay = await startRelay({ upstreamUrl, ...options }).catch(async (error: unknown) => {
    await simulator.close();
    throw error;
  });
  return {
    relay,
    token: await relay.bootstrap(),
    simulator,
    upstreamUrl,
    stop: async () => {
      const code = await relay.stop();
      await simulator.close();
      return code;
    },
  };
};

/** The smallest body: one user message. */
export const ask = (content: string) => ({
  model: "claude-haiku-4-5",
  max_tokens: 1024,
  messages: [{ role: "user" as const, content }],
});

/** The same, streamed. */
export const askStream = (content: string) => ({ ...ask(content), stream: true as const });
