import type { SessionTimers } from "@claude-relay/client/device";

/** The Messages API as the SDK speaks it. https://platform.claude.com/docs/en/api/versioning */
const apiVersion = "2026-10-21";

/**
 * What the SDK may send by itself: the rest could come from an ANTHROPIC_* variable of the user's machine,
 * which is meant for other programs.
 */
const allowed = /^(?:accept|content-type|user-agent|x-stainless-.*)$/;

/** A stream of the relay's has a ping every 15 s, or whatever PING_INTERVAL says. */
export const longestSilenceMs = 120_000;

type Options = Readonly<{
  relayUrl: string;
  token: string;
  timers: SessionTimers;
  /** Milliseconds without a byte of a body that has begun. */
  longestSilence: number;
}>;

/** In bytes. The longest answer that is asked for is a part of it: a relay that goes on and on fills no memory. */
const largestAnswer = 8 * 1024 * 1024;

/** The answer stopped coming while the connection stayed: the machine slept, or the network changed. */
class SilenceError extends Error {}

/**
 * A fetch for the SDK that goes to this relay and nowhere else, with this token and no other credential,
 * follows no redirect, and gives up on an answer that has fallen silent or does not end.
 */
export const createRelayFetch =
  ({ relayUrl, token, timers, longestSilence }: Options): typeof fetch =>
  async (input, init = {}) => {
    const url = new URL(input instanceof Request ? input.url : input);
    if (!url.href.startsWith(new URL(`${relayUrl}/`).href)) {
      throw new TypeError(`Only ${relayUrl} is asked.`);
    }
    const watch = watchSilence(timers, longestSilence);
    init.signal?.addEventListener("abort", watch.stop, { once: true });
    const response = await fetch(url, {
      ...init,
      headers: onlyOurs(new Headers(init.headers), token),
      redirect: "error",
      signal: init.signal ? AbortSignal.any([init.signal, watch.signal]) : watch.signal,
    });
    return response.body === null
      ? response
      : new Response(response.body.pipeThrough(watch.listener()).pipeThrough(bounded()), response);
  };

const bounded = () => {
  let left = largestAnswer;
  return new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
    transform: (chunk, controller) => {
      left -= chunk.length;
      if (left < 0) {
        throw new Error("The answer does not end.");
      }
      controller.enqueue(chunk);
    },
  });
};

const onlyOurs = (headers: Headers, token: string): Headers => {
  const kept = [...headers].filter(([name]) => allowed.test(name));
  return new Headers([
    ...kept,
    ["authorization", `Bearer ${token}`],
    ["anthropic-version", apiVersion],
  ]);
};

const watchSilence = (timers: SessionTimers, longestSilence: number) => {
  const silence = new AbortController();
  let forget = (): void => undefined;
  const stop = (): void => forget();
  const heard = (): void => {
    forget();
    forget = timers.after(longestSilence, () =>
      silence.abort(new SilenceError("The answer stopped coming.")),
    );
  };
  return {
    signal: silence.signal,
    stop,
    listener: () =>
      new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
        start: heard,
        transform: (chunk, controller) => {
          heard();
          controller.enqueue(chunk);
        },
        flush: stop,
      }),
  };
};
