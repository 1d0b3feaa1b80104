import type { Caller } from "./types.ts";

/** One name for one caller, e.g. `device:mac-1`: for the audit log, limits, and places that callers share. */
export const callerKey = ({ kind, id }: Pick<Caller, "kind" | "id">): string => `${kind}:${id}`;
