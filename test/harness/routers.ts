/** A relay with its routers' listener open, an upstream that says what the test wants, and routers for it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { type Relay, startRelay } from "./relay.ts";
import { RouterClient, type Said } from "./router-client.ts";
import { type ScriptedUpstream, startScriptedUpstream } from "./scripted-upstream.ts";

export const sharedSecret = "k3Jd9-qpLz72-WmXv-shared";

type ClientOptions = Partial<ConstructorParameters<typeof RouterClient>[0]>;

export type RouterSetUp = Readonly<{
  relay: Relay;
  upstream: ScriptedUpstream;
  /** Where routers connect. */
  url: string;
  dataDir: string;
  /** A router with the shared secret that has not made its handshake yet. */
  router(options?: ClientOptions): RouterClient;
  /** One that has. */
  connected(options?: ClientOptions): Promise<RouterClient>;
  /** Adds a router by name; gives its secret. */
  add(id: string, settings?: object): Promise<string>;
}>;

type Options = Readonly<{
  env?: Readonly<Record<string, string>>;
  /** Kept by the test, for a relay that is started again. */
  dataDir?: string;
  upstream?: ScriptedUpstream;
}>;

export const startRouters = async (t: TestContext, options: Options = {}): Promise<RouterSetUp> => {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), "claude-relay-test-"));
  const upstream = options.upstream ?? (await startScriptedUpstream());
  const env = {
    CLAUDE_RELAY_ENABLE_CLOUD: "true",
    CLAUDE_RELAY_CLOUD_PORT: "0",
    CLAUDE_RELAY_HANDSHAKE_SECRET: sharedSecret,
    CLAUDE_RELAY_ROUTER_RPM: "100000",
    ...options.env,
  };
  const relay = await startRelay({ upstreamUrl: upstream.url, dataDir, env });
  t.after(async () => {
    if (relay.process.exitCode === null && relay.process.signalCode === null) {
      await relay.kill();
    }
    await upstream.close();
    rmSync(dataDir, { recursive: true, force: true });
  });
  const url = routersUrl(relay);
  const router = (given: ClientOptions = {}): RouterClient =>
    new RouterClient({ url, secret: sharedSecret, ...given });
  return {
    ...{ relay, upstream, url, dataDir, router },
    connected: async (given) => {
      const client = router(given);
      const answer = await client.handshake();
      if (answer.success !== true) {
        throw new Error(`the handshake failed: ${JSON.stringify(answer)}`);
      }
      return client;
    },
    add: async (id, settings = {}) => {
      const body = JSON.stringify({ id, ...settings });
      const added = await relay.admin("/admin/routers", { method: "POST", body });
      if (added.status !== 201) {
        throw new Error(`the router was not added: ${JSON.stringify(added.body)}`);
      }
      return added.body.secret;
    },
  };
};

/** From the log line that tells of it, which comes before the relay says it is up. */
export const routersUrl = (relay: Relay): string => {
  const line = relay.logs.find(({ msg }) => msg.startsWith("Routers are served at"));
  if (line === undefined) {
    throw new Error("the routers' listener is not open");
  }
  return String(line["url"]);
};

/** What Claude answers when it found commands. */
export const commands = (routeros_command: string, explanation = "It does that."): Said => ({
  possible: true,
  routeros_command,
  explanation,
});
