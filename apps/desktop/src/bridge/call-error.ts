import type { CallFault, CallFaultCode } from "./protocol.ts";

/** What `Bridge.call` throws. */
export class CallError extends Error {
  readonly code: CallFaultCode;

  constructor({ code, message }: CallFault) {
    super(message);
    this.name = "CallError";
    this.code = code;
  }
}
