/** What the benchmark needs to know of a server under test. */

import type { Lab } from "../lab.ts";

export type PeerId =
  | "claude-relay"
  | "claude-relay-info"
  | "bare-node"
  | "nginx"
  | "haproxy"
  | "portkey";

/** The key the upstream must receive, whatever the caller sent. */
export const UPSTREAM_KEY = "sk-ant-bench-upstream-key";

/** The credential a caller sends to servers that do not check it. */
export const CALLER_KEY = "sk-ant-bench-caller-key";

export type Peer = Readonly<{
  port: number;
  /** The process whose CPU and memory count, children included. */
  pid: number;
  /** What a caller must send besides what Anthropic's own client sends. */
  headers: Readonly<Record<string, string>>;
  stop: () => Promise<void>;
}>;

/** A server that can be started, or the reason why it cannot. */
type Start = (lab: Lab, upstreamPort: number) => Promise<Peer | Unavailable>;

export type Unavailable = Readonly<{ unavailable: string }>;

export type PeerDefinition = Readonly<{
  id: PeerId;
  name: string;
  start: Start;
  /** It rebuilds bodies from parsed JSON: only their meaning can be compared, not their bytes. */
  rebuildsBodies?: boolean;
}>;
