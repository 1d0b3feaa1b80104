import { type OpenedRequest, RouterRefusal, type RouterRequest } from "../pipeline/router-ports.ts";
import type { RouterCaller } from "../pipeline/types.ts";
import type { GateParts } from "./gate-parts.ts";
import { revokedMessage } from "./handshake.ts";
import { opensUnsigned } from "./handshake-checks.ts";
import { sealAnswer } from "./seal.ts";
import type { Session } from "./session-book.ts";
import { sameSecretly, signRequest } from "./signing.ts";

/**
 * Checks one request's signature and sequence. Who cannot sign learns nothing but that, and moves nothing.
 * @throws RouterRefusal; with `seal` once signature and sequence held
 */
export const openRequest = (
  parts: GateParts,
  session: Session,
  request: RouterRequest,
): OpenedRequest => {
  if (request.path.includes("?")) {
    throw new RouterRefusal("invalid_request", "path: must have no query.");
  }
  const sequence =
    session.signed === null ? "0" : provenSequence(session.signed, session.id, request);
  if (session.signed === null && !opensUnsigned(parts, session.routerId, request.clientIp)) {
    throw new RouterRefusal(
      "signature_required",
      "X-Relay-Session: was begun without a secret, which is no longer enough. Make a signed handshake.",
    );
  }
  const seal: OpenedRequest["seal"] = (answer) => sealAnswer(session, sequence, answer);
  if (session.signed !== null) {
    advance(session, Number(sequence));
  }
  const caller = currentCaller(parts, session, seal);
  parts.sessions.touch(session);
  return { caller, session: session.id, seal };
};

/** The live session that a request names. @throws RouterRefusal `session_unknown`, `session_expired` */
export const sessionOf = ({ sessions }: GateParts, request: RouterRequest): Session => {
  if (request.session === undefined) {
    throw new RouterRefusal(
      "session_unknown",
      "X-Relay-Session: header required. Make a handshake first (POST /handshake).",
    );
  }
  const found = sessions.find(request.session);
  switch (found.kind) {
    case "live":
      return found.session;
    case "expired":
      throw new RouterRefusal(
        "session_expired",
        "X-Relay-Session: is older than 12 hours. Make a new handshake.",
      );
    case "unknown":
      throw new RouterRefusal(
        "session_unknown",
        "X-Relay-Session: is unknown here. Make a new handshake.",
      );
  }
};

/** The sequence as sent, of a request whose signature holds. */
const provenSequence = (
  { mac, key }: NonNullable<Session["signed"]>,
  session: string,
  { method, path, body, sequence, signature }: RouterRequest,
): string => {
  if (sequence === undefined || signature === undefined) {
    const missing = sequence === undefined ? "X-Relay-Seq" : "X-Relay-Signature";
    throw new RouterRefusal("signature_required", `${missing}: header required.`);
  }
  if (!/^[1-9][0-9]{0,15}$/.test(sequence) || !Number.isSafeInteger(Number(sequence))) {
    throw new RouterRefusal(
      "invalid_request",
      `X-Relay-Seq: must be a whole number from 1 to ${Number.MAX_SAFE_INTEGER}.`,
    );
  }
  const expected = signRequest(mac, key, { method, path, session, sequence, body });
  if (!sameSecretly(signature, expected)) {
    throw new RouterRefusal(
      "signature_invalid",
      `X-Relay-Signature: does not fit. It is the lower-case hex ${mac.toUpperCase()} of method, path, session, sequence and body hash.`,
    );
  }
  return sequence;
};

/** A revoked router, or one whose secret was changed, has no session any more. */
const currentCaller = (
  { registry, sessions }: GateParts,
  { id, routerId, generation }: Session,
  seal: OpenedRequest["seal"],
): RouterCaller => {
  const caller = registry.current(routerId, generation);
  if (caller !== null) {
    return caller;
  }
  sessions.end(id);
  const wasRotated = registry.current(routerId, registry.generationOf(routerId)) !== null;
  throw wasRotated
    ? new RouterRefusal(
        "session_expired",
        "X-Relay-Session: the router's secret was changed. Make a new handshake with the new one.",
        {},
        seal,
      )
    : new RouterRefusal("router_revoked", revokedMessage, {}, seal);
};

/** Refused without a seal: what was answered to this sequence before must stay the one sealed answer to it. */
const advance = (session: Session, sequence: number): void => {
  if (sequence <= session.sequence) {
    throw new RouterRefusal(
      "sequence_invalid",
      `X-Relay-Seq: must be greater than ${session.sequence}, the last one accepted in this session. Make a new handshake.`,
      { last_seq: session.sequence },
    );
  }
  session.sequence = sequence;
};
