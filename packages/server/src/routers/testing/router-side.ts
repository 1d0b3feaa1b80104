/** The router's side of the wire: what it signs and what it believes. */
import type { RouterMac } from "@claude-relay/contract";
import type { RouterGate, RouterRequest } from "../../pipeline/router-ports.ts";
import {
  handshakeMessage,
  legacyMessage,
  sessionKey,
  signHandshake,
  signRequest,
  signResponse,
} from "../signing.ts";

/** When the tests' clock starts. */
export const startedAt = 1_790_000_000_000;

let nonces = 0;

/** A nonce never used before. */
export const freshNonce = (): string => {
  nonces += 1;
  return `Nonce${String(nonces).padStart(27, "0")}`;
};

/** A good handshake body, or what `changes` makes of it before it is signed. */
export const handshakeBody = (
  secret: string,
  changes: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> => {
  const timed = "challenge" in changes ? {} : { timestamp: startedAt / 1000 };
  const body: Record<string, unknown> = {
    v: 1,
    router_identity: "Office",
    router_id: "office",
    ...timed,
    nonce: freshNonce(),
    mac: "hmac-sha512",
    ...changes,
  };
  const message = handshakeMessage({
    routerId: String(body["router_id"]),
    identity: String(body["router_identity"]),
    freshness: String(body["timestamp"] ?? body["challenge"]),
    nonce: String(body["nonce"]),
  });
  return { signature: signHandshake(secret, message), ...body };
};

export const legacyBody = (secret: string, timestamp = startedAt / 1000) => ({
  router_identity: "Office",
  router_id: "office",
  timestamp,
  signature: signHandshake(secret, legacyMessage("Office", "office", String(timestamp))),
});

/** The router's side of a session: signs requests and judges replies. */
export type RouterSide = Readonly<{
  session: string;
  sign(sequence: number, changes?: Partial<RouterRequest>): RouterRequest;
  /** The payload of a reply to that request, or null when it is not to be believed. */
  believe(sequence: number, reply: string): Record<string, unknown> | null;
}>;

export const lanIp = "192.168.88.1";

/** Shakes hands and gives the router's side of the session. */
export const shakeHands = async (
  gate: RouterGate,
  secret: string,
  changes: Readonly<Record<string, unknown>> = {},
): Promise<RouterSide> => {
  const body = handshakeBody(secret, changes);
  const answer = await gate.handshake(body, lanIp);
  const session = String(answer["session"]);
  const mac = answer["mac"] as RouterMac;
  const serverNonce = String(answer["server_nonce"]);
  const key = sessionKey(secret, { nonce: String(body["nonce"]), serverNonce, session, mac });
  return {
    session,
    sign: (number, other = {}) => {
      const sequence = String(number);
      const plain = {
        method: "POST" as const,
        path: "/process-command",
        session,
        body: Buffer.from('{"command":"show my addresses"}'),
        clientIp: lanIp,
        ...other,
        sequence,
      };
      return {
        signature: signRequest(mac, key, { ...plain, session: plain.session ?? "" }),
        ...plain,
      };
    },
    believe: (number, reply) => {
      const { payload, mac: sent } = JSON.parse(reply);
      const claim = { session, sequence: String(number), payload };
      return sent === signResponse(mac, key, claim) ? JSON.parse(payload) : null;
    },
  };
};
