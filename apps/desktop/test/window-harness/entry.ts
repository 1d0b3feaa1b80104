/** The renderer's entry for tests: its bridge ends in the test, by way of the browser's driver. */

import { CallError } from "../../src/bridge/call-error.ts";
import type {
  AppEvent,
  Bridge,
  CallFault,
  Method,
  Params,
  Results,
} from "../../src/bridge/protocol.ts";
import { start } from "../../src/renderer/main.tsx";

type Outcome = Readonly<{ result: unknown } | { fault: CallFault }>;

declare global {
  interface Window {
    testCall(method: string, params: unknown): Promise<Outcome>;
    testHear(events: readonly AppEvent[]): void;
  }
}

const listeners = new Set<(event: AppEvent) => void>();
window.testHear = (events) => {
  for (const event of events) {
    for (const listener of listeners) {
      listener(event);
    }
  }
};

const bridge: Bridge = {
  call: async <M extends Method>(method: M, params: Params<M>) => {
    const outcome = await window.testCall(method, params);
    if ("fault" in outcome) {
      throw new CallError(outcome.fault);
    }
    return outcome.result as Results[M];
  },
  on: (listener) => {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  },
};

const root = document.getElementById("root");
if (root !== null) {
  start(bridge, root);
}
