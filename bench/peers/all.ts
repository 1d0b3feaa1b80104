/** The servers, in the order of the table's rows and of every round. */

import { startBareNode } from "./bare-node.ts";
import { startClaudeRelay } from "./claude-relay.ts";
import { startHaproxy } from "./haproxy.ts";
import { startNginx } from "./nginx.ts";
import type { PeerDefinition } from "./peer.ts";
import { startPortkey } from "./portkey.ts";

export const PEERS: readonly PeerDefinition[] = [
  { id: "claude-relay", name: "claude-relay", start: startClaudeRelay("warn") },
  { id: "claude-relay-info", name: "claude-relay, info log", start: startClaudeRelay("info") },
  { id: "bare-node", name: "bare Node + undici", start: startBareNode },
  { id: "nginx", name: "nginx", start: startNginx },
  { id: "haproxy", name: "HAProxy", start: startHaproxy },
  { id: "portkey", name: "Portkey gateway", start: startPortkey, rebuildsBodies: true },
];
