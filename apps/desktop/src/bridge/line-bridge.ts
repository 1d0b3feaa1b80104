import { CallError } from "./call-error.ts";
import type { AppEvent, Bridge, Method, Params, Results } from "./protocol.ts";
import type { ToWindow } from "./wire.ts";

type Waiting = Readonly<{
  resolve: (result: unknown) => void;
  reject: (error: CallError) => void;
}>;

type Options = Readonly<{
  /** Greater than every id of a page before: late replies to that one are not for this. */
  firstId: number;
  /** Resolves once the call is on its way; its reply comes as a line. */
  send: (id: number, method: string, params: unknown) => Promise<unknown>;
}>;

const noMainProcess = "The app's main process is not running.";

/**
 * A `Bridge` over any shell that carries lines in their order. Replies come the same way as events: a reply
 * that an event overtakes would bring back what that event changed.
 * @returns the bridge, and what takes each line of the shell
 */
export const lineBridge = ({
  firstId,
  send,
}: Options): Readonly<{ bridge: Bridge; take: (line: ToWindow) => void }> => {
  const listeners = new Set<(event: AppEvent) => void>();
  const waiting = new Map<number, Waiting>();
  let nextId = firstId;
  const fail = (id: number, message: string): void => {
    waiting.get(id)?.reject(new CallError({ code: "failed", message }));
    waiting.delete(id);
  };
  const call = <M extends Method>(method: M, params: Params<M>): Promise<Results[M]> => {
    const id = nextId;
    nextId += 1;
    return new Promise((resolve, reject) => {
      waiting.set(id, { resolve: resolve as (result: unknown) => void, reject });
      send(id, method, params).catch((why: unknown) => fail(id, String(why)));
    });
  };
  return {
    bridge: {
      call,
      on: (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    },
    take: (line) => {
      switch (line.type) {
        case "reply":
          waiting.get(line.id)?.resolve(line.result);
          waiting.delete(line.id);
          break;
        case "fault":
          waiting.get(line.id)?.reject(new CallError(line.fault));
          waiting.delete(line.id);
          break;
        case "event":
          for (const listener of listeners) {
            listener(line.event);
          }
          break;
        case "ended":
          for (const id of [...waiting.keys()]) {
            fail(id, noMainProcess);
          }
          break;
      }
    },
  };
};
