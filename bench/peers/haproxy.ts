/** HAProxy as a plain reverse proxy, one thread, no delay for coalescing. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort, type Lab } from "../lab.ts";
import { findProgram, notInstalled } from "./installed.ts";
import { CALLER_KEY, type Peer, type Unavailable, UPSTREAM_KEY } from "./peer.ts";

export async function startHaproxy(lab: Lab, upstreamPort: number): Promise<Peer | Unavailable> {
  const haproxy = findProgram("haproxy");
  if (haproxy === null) {
    return notInstalled;
  }
  const port = await freePort();
  const config = join(lab.folder("haproxy"), "haproxy.cfg");
  writeFileSync(config, configuration(port, upstreamPort));
  const running = lab.launch({
    name: "haproxy",
    command: haproxy,
    args: ["-db", "-f", config],
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

/** Without `http-no-delay` HAProxy holds small events back for up to 200 ms: cheap, but no stream. */
const configuration = (port: number, upstreamPort: number): string => `
global
  nbthread 1
  maxconn 4096
defaults
  mode http
  option http-no-delay
  http-reuse always
  timeout connect 5s
  timeout client 600s
  timeout server 600s
frontend callers
  bind 127.0.0.1:${port} backlog 2048
  default_backend anthropic
backend anthropic
  http-request del-header authorization
  http-request set-header x-api-key ${UPSTREAM_KEY}
  server upstream 127.0.0.1:${upstreamPort}
`;
