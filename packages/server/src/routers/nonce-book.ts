import type { RouterId } from "@claude-relay/contract";
import type { Clock } from "../pipeline/types.ts";

/** Nonces of handshakes already accepted. Only a valid signature gets one in, so strangers cannot fill it. */
export interface NonceBook {
  has(router: RouterId, nonce: string): boolean;
  /** Gives false when there is no room: then the handshake must be refused, or it could be replayed. */
  remember(router: RouterId, nonce: string): boolean;
  /** How many are kept, the ones that are due to be forgotten too. */
  readonly size: number;
}

type Options = Readonly<{
  clock: Clock;
  /** So that one router with a good secret cannot take the room of all. */
  maxPerRouter?: number;
  maxNonces?: number;
}>;

/** When it may be forgotten, on both clocks. */
type Until = Readonly<{ wall: number; monotonic: number }>;

/** As long as a timestamp can be good: from 300 s ahead to 300 s behind. */
const rememberMs = 600_000;

export const createNonceBook = (options: Options): NonceBook => {
  const { clock, maxPerRouter = 500, maxNonces = 50_000 } = options;
  const byRouter = new Map<RouterId, Map<string, Until>>();
  let size = 0;

  // A timestamp is judged by the wall clock. If that is set forward and back again, the other one still remembers.
  const isOver = ({ wall, monotonic }: Until): boolean =>
    clock.now() > wall && clock.monotonicMs() > monotonic;

  const forgetOld = (router: RouterId): void => {
    const nonces = byRouter.get(router);
    for (const [nonce, until] of nonces ?? []) {
      if (!isOver(until)) {
        return;
      }
      nonces?.delete(nonce);
      size -= 1;
    }
    byRouter.delete(router);
  };

  const isFull = (router: RouterId): boolean => {
    if (size >= maxNonces) {
      for (const each of [...byRouter.keys()]) {
        forgetOld(each);
      }
    }
    return size >= maxNonces || (byRouter.get(router)?.size ?? 0) >= maxPerRouter;
  };

  return {
    has: (router, nonce) => {
      forgetOld(router);
      return byRouter.get(router)?.has(nonce) ?? false;
    },
    remember: (router, nonce) => {
      forgetOld(router);
      if (isFull(router)) {
        return false;
      }
      const nonces = byRouter.get(router) ?? new Map<string, Until>();
      byRouter.set(router, nonces);
      size += nonces.has(nonce) ? 0 : 1;
      nonces.set(nonce, {
        wall: clock.now() + rememberMs,
        monotonic: clock.monotonicMs() + rememberMs,
      });
      return true;
    },
    get size() {
      return size;
    },
  };
};
