/** Health that is asked for elsewhere than at the relay: a wrong address there says nothing of the relay. */
import type { RelayAddress } from "@claude-relay/client/device";
import { beginningOf, healthIn } from "./relay-answer.ts";

/** The relay itself must be asked within the session's own patience. */
const longestMs = 5_000;

type Fetch = typeof globalThis.fetch;

/**
 * A `fetch` that asks the relay's own /healthz where PROXY_HEALTH_URL gives no health.
 * @param onNotice told when only the relay itself says that it is well
 */
export const withHealthFallback = (
  { relayUrl, healthUrl }: RelayAddress,
  onNotice: (message: string) => void,
): Fetch => {
  const own = `${relayUrl}/healthz`;
  if (healthUrl === own) {
    return globalThis.fetch;
  }
  return async (input, init) => {
    if (input !== healthUrl) {
      return fetch(input, init);
    }
    const named = await healthAt(healthUrl, init);
    if (named !== undefined) {
      return named;
    }
    const response = await fetch(own, init);
    if (response.status === 200) {
      onNotice(
        `PROXY_HEALTH_URL (${healthUrl}) does not say that the relay is well, though the relay itself answers. You can chat all the same; correct it or leave it out.`,
      );
    }
    return response;
  };
};

/** Undefined where there is none. */
const healthAt = async (url: string, init: RequestInit = {}): Promise<Response | undefined> => {
  const limit = AbortSignal.timeout(longestMs);
  const signal = init.signal ? AbortSignal.any([init.signal, limit]) : limit;
  try {
    const response = await fetch(url, { ...init, signal });
    const text = await beginningOf(response);
    const isHealth = response.status === 200 && healthIn(text) !== undefined;
    return isHealth ? new Response(text, response) : undefined;
  } catch {
    init.signal?.throwIfAborted();
    return undefined;
  }
};
