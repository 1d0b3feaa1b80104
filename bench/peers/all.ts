/** The servers, in the order of the table's rows and of every round. */

import { startBareNode } from "./bare-node.ts";
import { startClaudeRelay } from "./claude-relay.ts";
import { startHaproxy } from "./haproxy.ts";
import { startNginx } from "./nginx.ts";
import type { PeerDefinition } from "./peer.ts";
import { startPortkey } from "./portkey.ts";

export const PEERS: readonly PeerDefinition[] = [
  { id: "claude-relay", name: "claude-relay", start: startClaudeRelay() },
  {
    id: "claude-relay-budget",
    name: "relay, a budget set",
    start: startClaudeRelay({ budget: true }),
  },
  {
    id: "claude-relay-info",
    name: "relay, info log",
    start: startClaudeRelay({ logLevel: "info" }),
    notQuick: true,
  },
  {
    id: "claude-relay-shared",
    name: "relay, Redis + Postgres",
    start: startClaudeRelay({ budget: true, shared: { processes: 1 } }),
    only: ["json", "sse"],
    notQuick: true,
  },
  {
    id: "claude-relay-shared-3",
    name: "the same, 3 processes",
    start: startClaudeRelay({ budget: true, shared: { processes: 3 } }),
    only: ["json", "sse"],
    notQuick: true,
  },
  { id: "bare-node", name: "bare Node + undici", start: startBareNode },
  { id: "nginx", name: "nginx", start: startNginx },
  { id: "haproxy", name: "HAProxy", start: startHaproxy },
  { id: "portkey", name: "Portkey gateway", start: startPortkey, rebuildsBodies: true },
];
