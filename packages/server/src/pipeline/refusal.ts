import type { ErrorCode } from "@claude-relay/contract";

type RefusalDetails = Readonly<{
  /** Whole seconds after which a retry can succeed; sent as `retry-after`. */
  retryAfterSeconds?: number;
  /** Further headers of the answer, lower case. */
  headers?: Readonly<Record<string, string>>;
}>;

/**
 * A request the relay itself turns down: the only way to say no before an answer has begun.
 * Thrown at any stage, mapped to the wire once (http/error-reply.ts).
 * The message goes to the caller: it names the field and the remedy, and never a secret.
 */
export class Refusal extends Error {
  readonly code: ErrorCode;
  readonly details: RefusalDetails;

  constructor(code: ErrorCode, message: string, details: RefusalDetails = {}) {
    super(message);
    this.name = "Refusal";
    this.code = code;
    this.details = details;
  }
}
