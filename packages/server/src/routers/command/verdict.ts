export type CommandKind = "read" | "write" | "forbidden";

/** What one command, or a part of one, amounts to, in words for the router's owner. */
export type Verdict = Readonly<{
  kind: CommandKind;
  reason: string;
  /** How the change could cut the owner off or open the router. */
  warning?: string;
}>;

export const read = (reason: string): Verdict => ({ kind: "read", reason });

export const write = (reason: string, warning?: string): Verdict =>
  warning === undefined ? { kind: "write", reason } : { kind: "write", reason, warning };

export const forbidden = (reason: string): Verdict => ({ kind: "forbidden", reason });

const rank: Readonly<Record<CommandKind, number>> = { read: 0, write: 1, forbidden: 2 };

/** The worst of several; the first of equals. */
export const worst = <T extends Verdict>(first: T, ...others: readonly T[]): T =>
  others.reduce((a, b) => (rank[b.kind] > rank[a.kind] ? b : a), first);
