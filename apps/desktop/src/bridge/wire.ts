/**
 * The lines between shell and main process: one JSON value a line, over the main process's standard input
 * and output. A shell carries calls, replies and events without reading them, in the order they come, and
 * answers for its keychain.
 */
import type { AppEvent, CallFault } from "./protocol.ts";

/** What the shell writes to the main process's standard input. Its end means: stop. */
export type FromShell =
  | {
      readonly type: "call";
      readonly id: number;
      readonly method: string;
      readonly params: unknown;
    }
  | { readonly type: "secret_reply"; readonly id: number; readonly value: string | null }
  /** The keychain could not do it; the words hold no secret. `no_keychain`: there is none at all. */
  | {
      readonly type: "secret_fault";
      readonly id: number;
      readonly code: "no_keychain" | "failed";
      readonly message: string;
    }
  /** The window came to the front or the machine woke: worth a look at the token. */
  | { readonly type: "woke" };

/** What the main process writes to its standard output. */
export type FromMain =
  /** The first line: calls may come. */
  | { readonly type: "ready" }
  | { readonly type: "reply"; readonly id: number; readonly result: unknown }
  | { readonly type: "fault"; readonly id: number; readonly fault: CallFault }
  | { readonly type: "event"; readonly event: AppEvent }
  | { readonly type: "secret_get"; readonly id: number; readonly name: string }
  | {
      readonly type: "secret_set";
      readonly id: number;
      readonly name: string;
      readonly value: string;
    }
  | { readonly type: "secret_delete"; readonly id: number; readonly name: string };

/** What the shell tells the window, in the order of the main process's lines. */
export type ToWindow =
  | Extract<FromMain, { type: "reply" | "fault" | "event" }>
  /** The main process ended: what was asked of it has no answer. */
  | { readonly type: "ended" };
