import { Channel, invoke } from "@tauri-apps/api/core";
import { CallError } from "../bridge/call-error.ts";
import type {
  AppEvent,
  Bridge,
  CallFault,
  CallFaultCode,
  Method,
  Params,
  Results,
} from "../bridge/protocol.ts";

/** The shell's two commands as a `Bridge`: all that the window has of it. */
export const tauriBridge = (): Bridge => {
  const listeners = new Set<(event: AppEvent) => void>();
  const channel = new Channel<AppEvent>((event) => {
    for (const listener of listeners) {
      listener(event);
    }
  });
  const listening = invoke("relay_events", { channel });
  return {
    call: async <M extends Method>(method: M, params: Params<M>) => {
      try {
        // No call before events can come: what a call sets off must not be missed.
        await listening;
        return await invoke<Results[M]>("relay_call", { method, params });
      } catch (fault) {
        throw new CallError(toFault(fault));
      }
    },
    on: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
};

/** The shell's own refusals are plain words. */
const toFault = (fault: unknown): CallFault =>
  isFault(fault) ? fault : { code: "failed", message: String(fault) };

const isFault = (fault: unknown): fault is { code: CallFaultCode; message: string } =>
  typeof fault === "object" &&
  fault !== null &&
  "code" in fault &&
  "message" in fault &&
  typeof fault.code === "string" &&
  typeof fault.message === "string";
