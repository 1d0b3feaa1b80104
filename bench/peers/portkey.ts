/** Portkey's AI gateway, pinned in this folder's own package and installed when first measured. */

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { freePort, type Lab } from "../lab.ts";
import { type Peer, type Unavailable, UPSTREAM_KEY } from "./peer.ts";

const PACKAGE = fileURLToPath(new URL(".", import.meta.url));
const SERVER = fileURLToPath(
  new URL("node_modules/@portkey-ai/gateway/build/start-server.js", import.meta.url),
);
const LOOPBACK_ONLY = new URL("portkey-loopback.mjs", import.meta.url).href;

export async function startPortkey(lab: Lab, upstreamPort: number): Promise<Peer | Unavailable> {
  if (!existsSync(SERVER) && !install()) {
    return { unavailable: "could not be installed (npm ci --prefix bench/peers --ignore-scripts)" };
  }
  const port = await freePort();
  const running = lab.launch({
    name: "portkey",
    command: process.execPath,
    args: ["--import", LOOPBACK_ONLY, SERVER, `--port=${port}`, "--headless"],
    env: { NODE_ENV: "production" },
    core: lab.placement.server,
  });
  await lab.listening(running, port);
  return {
    port,
    pid: running.pid,
    // Portkey sends the bearer on as Anthropic's key: it keeps none of its own in this form.
    headers: {
      authorization: `Bearer ${UPSTREAM_KEY}`,
      "x-portkey-provider": "anthropic",
      "x-portkey-custom-host": `http://127.0.0.1:${upstreamPort}/v1`,
      "x-portkey-forward-headers": "x-bench",
    },
    stop: () => lab.stop(running),
  };
}

function install(): boolean {
  console.error("Installing Portkey's gateway into bench/peers …");
  const args = ["ci", "--prefix", PACKAGE, "--ignore-scripts", "--no-audit", "--no-fund"];
  const { status } = spawnSync("npm", args, { stdio: ["ignore", 2, 2], timeout: 120_000 });
  return status === 0;
}
