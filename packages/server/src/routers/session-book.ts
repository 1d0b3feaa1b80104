import type { RouterId, RouterMac } from "@claude-relay/contract";
import type { Clock } from "../pipeline/types.ts";

/** What a handshake opened. */
export type Session = {
  readonly id: string;
  readonly routerId: RouterId;
  /** Of the secret it was made with: a newer one ends it. */
  readonly generation: number;
  /** Null on loopback without a secret: nothing is signed. */
  readonly signed: Readonly<{ mac: RouterMac; key: Buffer }> | null;
  readonly endsAtMs: number;
  /** The last one accepted. */
  sequence: number;
};

export type NewSession = Pick<Session, "id" | "routerId" | "generation" | "signed">;

export type FoundSession =
  | { readonly kind: "live"; readonly session: Session }
  | { readonly kind: "expired" }
  | { readonly kind: "unknown" };

/** Sessions of this process. A router whose session is gone makes a handshake again. */
export interface SessionBook {
  begin(session: NewSession): Session;
  find(id: string): FoundSession;
  /** Marks it as used now: what is longest unused makes room first. */
  touch(session: Session): void;
  end(id: string): void;
  readonly size: number;
}

type Options = Readonly<{
  clock: Pick<Clock, "monotonicMs">;
  /** More than one, so that a router's scripts do not end each other's. */
  maxPerRouter?: number;
  maxSessions?: number;
}>;

export const sessionLifetimeMs = 12 * 3_600_000;

export const createSessionBook = (options: Options): SessionBook => {
  const { clock, maxPerRouter = 8, maxSessions = 10_000 } = options;
  /** The longest unused first. */
  const sessions = new Map<string, Session>();
  const byRouter = new Map<RouterId, Set<string>>();

  const end = (id: string): void => {
    const routerId = sessions.get(id)?.routerId;
    sessions.delete(id);
    if (routerId !== undefined) {
      const own = byRouter.get(routerId);
      own?.delete(id);
      if (own?.size === 0) {
        byRouter.delete(routerId);
      }
    }
  };

  const touch = (session: Session): void => {
    sessions.delete(session.id);
    sessions.set(session.id, session);
    const own = byRouter.get(session.routerId) ?? new Set();
    byRouter.set(session.routerId, own);
    own.delete(session.id);
    own.add(session.id);
  };

  const endFirst = (ids: Iterable<string>): void => {
    for (const id of ids) {
      end(id);
      return;
    }
  };

  return {
    begin: (session) => {
      const begun = { ...session, endsAtMs: clock.monotonicMs() + sessionLifetimeMs, sequence: 0 };
      touch(begun);
      const own = byRouter.get(session.routerId);
      if (own !== undefined && own.size > maxPerRouter) {
        endFirst(own);
      }
      if (sessions.size > maxSessions) {
        endFirst(sessions.keys());
      }
      return begun;
    },
    find: (id) => {
      const session = sessions.get(id);
      if (session === undefined) {
        return { kind: "unknown" };
      }
      if (clock.monotonicMs() >= session.endsAtMs) {
        return { kind: "expired" };
      }
      return { kind: "live", session };
    },
    touch,
    end,
    get size() {
      return sessions.size;
    },
  };
};
