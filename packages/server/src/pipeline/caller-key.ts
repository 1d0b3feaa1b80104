import type { Caller } from "./types.ts";

/** One name for one caller: for queues and places that callers share. */
export const callerKey = ({ kind, id }: Caller): string => `${kind}:${id}`;
