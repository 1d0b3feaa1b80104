import { once } from "node:events";
import type { StoreFault } from "../faults.ts";

/** Faults as they come, with a promise for the next of a kind. */
export const faultLog = () => {
  const target = new EventTarget();
  const seen: string[] = [];
  const messages: string[] = [];
  const onFault = (fault: StoreFault): void => {
    seen.push(fault.kind);
    messages.push(fault.message);
    target.dispatchEvent(new Event(fault.kind));
  };
  return { onFault, seen, messages, next: (kind: StoreFault["kind"]) => once(target, kind) };
};
