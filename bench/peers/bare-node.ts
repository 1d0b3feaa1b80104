/** Bare Node with undici: the yardstick for everything written in JavaScript. */

import { fileURLToPath } from "node:url";
import { freePort, type Lab } from "../lab.ts";
import { CALLER_KEY, type Peer, UPSTREAM_KEY } from "./peer.ts";

export async function startBareNode(lab: Lab, upstreamPort: number): Promise<Peer> {
  const port = await freePort();
  const server = fileURLToPath(new URL("bare-node-server.ts", import.meta.url));
  const running = lab.launch({
    name: "bare-node",
    command: process.execPath,
    args: [server, String(port), String(upstreamPort), UPSTREAM_KEY],
    env: { NODE_ENV: "production" },
    core: lab.placement.server,
  });
  await lab.listening(running, port);
  return {
    port,
    pid: running.pid,
    headers: { "x-api-key": CALLER_KEY },
    stop: () => lab.stop(running),
  };
}
