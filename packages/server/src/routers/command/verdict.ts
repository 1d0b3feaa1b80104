export type CommandKind = "read" | "write" | "forbidden";

/** What one command, or a part of one, amounts to, in words for the router's owner. */
export type Verdict = Readonly<{
  kind: CommandKind;
  reason: string;
  /** How the change could cut the owner off or open the router. */
  warning?: string;
}>;

export function read(reason: string): Verdict {
  return { kind: "read", reason };
}

export function write(reason: string, warning?: string): Verdict {
  return warning === undefined ? { kind: "write", reason } : { kind: "write", reason, warning };
}

export function forbidden(reason: string): Verdict {
  return { kind: "forbidden", reason };
}

const RANK: Readonly<Record<CommandKind, number>> = { read: 0, write: 1, forbidden: 2 };

/** The worst of several; the first of equals. */
export function worst<T extends Verdict>(first: T, ...others: readonly T[]): T {
  return others.reduce((a, b) => (RANK[b.kind] > RANK[a.kind] ? b : a), first);
}
