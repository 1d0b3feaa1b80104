import { RelayError } from "../errors.ts";
import type { SignedOutReason } from "./device-events.ts";

/** The device has no token and cannot get one by itself; the message says the way out. */
export class SignedOutError extends RelayError {
  readonly reason: SignedOutReason;

  constructor(message: string, reason: SignedOutReason) {
    super(message, { type: "signed_out" });
    this.reason = reason;
  }
}

/** An admin has to approve the device, and to compare the fingerprint with what he sees. */
export class WaitingForApprovalError extends RelayError {
  readonly deviceId: string;
  readonly fingerprint: string;

  constructor(deviceId: string, fingerprint: string) {
    super(
      `This device waits for an admin's approval. Its id is ${deviceId}, its key's fingerprint ${fingerprint}.`,
      { type: "waiting_for_approval" },
    );
    this.deviceId = deviceId;
    this.fingerprint = fingerprint;
  }
}
