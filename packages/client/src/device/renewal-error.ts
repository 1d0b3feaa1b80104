import type { RelayError } from "../errors.ts";
import { SignedOutError, WaitingForApprovalError } from "./device-errors.ts";
import type { RenewalOutcome } from "./renewal.ts";

/** What whoever asked for a token is told when there is none. */
export const errorOf = (outcome: Exclude<RenewalOutcome, { kind: "token" }>): RelayError => {
  switch (outcome.kind) {
    case "pending":
      return new WaitingForApprovalError(outcome.identity.deviceId, outcome.identity.fingerprint);
    case "signed_out":
      return new SignedOutError(outcome.message, outcome.reason);
    case "away":
      return outcome.error;
  }
};
