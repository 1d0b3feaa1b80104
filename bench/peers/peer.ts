/** What the benchmark needs to know of a server under test. */

import type { Lab } from "../lab.ts";
import type { WorkloadId } from "../workloads.ts";

export type PeerId =
  | "claude-relay"
  | "claude-relay-info"
  | "claude-relay-budget"
  | "claude-relay-shared"
  | "claude-relay-shared-3"
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
  /** How many processes answer; left out: one. */
  processes?: number;
  /** Processes it keeps its state in; what they use is shown apart. */
  beside?: readonly Beside[];
  /** Throws unless the server does what its row says; asked once answers have passed it. */
  prove?: () => Promise<void>;
}>;

export type Beside = Readonly<{ metric: "redisUs" | "postgresUs"; pid: number }>;

/** A server that can be started, or the reason why it cannot. */
type Start = (lab: Lab, upstreamPort: number) => Promise<Peer | Unavailable>;

export type Unavailable = Readonly<{ unavailable: string }>;

export type PeerDefinition = Readonly<{
  id: PeerId;
  name: string;
  start: Start;
  /** It rebuilds bodies from parsed JSON: only their meaning can be compared, not their bytes. */
  rebuildsBodies?: boolean;
  /** Measured with these workloads only. */
  only?: readonly WorkloadId[];
  /** Left out of a quick look, unless asked for by name. */
  notQuick?: boolean;
}>;
