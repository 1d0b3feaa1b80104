import type { RouterId } from "@claude-relay/contract";
import { Refusal } from "../pipeline/refusal.ts";
import { type RouterAnswer, type RouterProof, RouterRefusal } from "../pipeline/router-ports.ts";
import type { RouterCaller } from "../pipeline/types.ts";
import type { GateParts } from "./gate-parts.ts";
import type { Handshake } from "./handshake-body.ts";
import {
  demandSignatureForm,
  howToGetASecret,
  opensUnsigned,
  provenSecret,
  refuseLeaked,
  refuseStale,
  refuseUnknownHere,
  spend,
  takeRoom,
} from "./handshake-checks.ts";
import { type NewSession, sessionLifetimeMs } from "./session-book.ts";
import { handshakeMessage, legacyMessage, serverProof, sessionKey } from "./signing.ts";

type Of<Kind extends Handshake["kind"]> = Extract<Handshake, { kind: Kind }>;

/**
 * Judges a handshake whose fields have their form. What a stranger could learn or use up comes after the signature:
 * nonces, challenges, limits, and whether the router is known or revoked.
 * @throws RouterRefusal
 */
export const acceptHandshake = async (
  parts: GateParts,
  handshake: Handshake,
  clientIp: string,
): Promise<RouterAnswer> => {
  refuseLeaked(parts, handshake);
  switch (handshake.kind) {
    case "unsigned":
      return acceptUnsigned(parts, handshake, clientIp);
    case "legacy":
      return acceptLegacy(parts, handshake, clientIp);
    case "v1":
      return acceptV1(parts, handshake, clientIp);
  }
};

const acceptV1 = async (
  parts: GateParts,
  handshake: Of<"v1">,
  clientIp: string,
): Promise<RouterAnswer> => {
  const { routerId, identity, freshness, nonce, mac, signature } = handshake;
  demandSignatureForm(handshake);
  refuseUnknownHere(parts, routerId, clientIp);
  refuseStale(parts, freshness);
  const message = handshakeMessage({ routerId, identity, freshness: freshness.text, nonce });
  const secret = provenSecret(parts, routerId, message, signature);
  spend(parts, routerId, nonce, freshness, clientIp);
  await admit(parts, routerId, { enrolledBy: "shared_secret", identity, clientIp });
  const generation = generationOf(parts, routerId, secret);

  const serverNonce = `n_${parts.randomBytes(16).toString("hex")}`;
  const session = newSessionId(parts);
  const key = sessionKey(secret, { nonce, serverNonce, session, mac });
  parts.sessions.begin({ id: session, routerId, generation, signed: { mac, key } });
  return {
    ...confirmation(parts, handshake),
    session,
    server_nonce: serverNonce,
    server_proof: serverProof(secret, nonce, serverNonce),
    mac,
    expires_in: sessionLifetimeMs / 1000,
  };
};

/** It has no nonce of the router's, so no key can be made that an old answer does not fit: it opens no session. */
const acceptLegacy = async (
  parts: GateParts,
  handshake: Of<"legacy">,
  clientIp: string,
): Promise<RouterAnswer> => {
  const { routerId, identity, timestamp, signature } = handshake;
  demandSignatureForm(handshake);
  if (!parts.legacy) {
    throw new RouterRefusal(
      "legacy_refused",
      "This handshake is of the old form, which can be replayed: update the router's script, or set CLAUDE_RELAY_LEGACY_HANDSHAKE=true.",
    );
  }
  refuseUnknownHere(parts, routerId, clientIp);
  const freshness = { kind: "timestamp", text: timestamp } as const;
  refuseStale(parts, freshness);
  const message = legacyMessage(identity, routerId, timestamp);
  const secret = provenSecret(parts, routerId, message, signature);
  spend(parts, routerId, `legacy:${signature}`, freshness, clientIp);
  await admit(parts, routerId, { enrolledBy: "shared_secret", identity, clientIp });
  generationOf(parts, routerId, secret);
  return {
    ...confirmation(parts, handshake),
    message: "Handshake accepted. This old form opens no session: send v 1 to make requests.",
  };
};

/** For development: only where nobody but programs of this machine can ask, and no secret is to be had. */
const acceptUnsigned = async (
  parts: GateParts,
  handshake: Of<"unsigned">,
  clientIp: string,
): Promise<RouterAnswer> => {
  const { routerId, identity } = handshake;
  if (!opensUnsigned(parts, routerId, clientIp)) {
    throw new RouterRefusal("signature_required", `signature: field required. ${howToGetASecret}`);
  }
  takeRoom(parts, routerId, clientIp);
  const caller = await admit(parts, routerId, { enrolledBy: "loopback", identity, clientIp });
  const session: NewSession = {
    id: newSessionId(parts),
    routerId: caller.id,
    generation: parts.registry.generationOf(routerId),
    signed: null,
  };
  parts.sessions.begin(session);
  return {
    ...confirmation(parts, handshake),
    session: session.id,
    expires_in: sessionLifetimeMs / 1000,
  };
};

const admit = async (
  { registry }: GateParts,
  router: RouterId,
  proof: RouterProof,
): Promise<RouterCaller> => {
  try {
    return await registry.admit(router, proof);
  } catch (error) {
    throw error instanceof Refusal ? notAdmitted(error, proof) : error;
  }
};

/** A registry's refusal as routers are told it; one that is none of these is a fault of ours. */
const notAdmitted = (refusal: Refusal, { enrolledBy }: RouterProof): Error => {
  const { code, message, details } = refusal;
  const later = { retry_after: details.retryAfterSeconds ?? 5 };
  switch (code) {
    case "forbidden":
      return new RouterRefusal("router_revoked", revokedMessage);
    case "credential_invalid": {
      const missing = enrolledBy === "loopback" ? "signature_required" : "signature_invalid";
      return new RouterRefusal(missing, `signature: ${message}`);
    }
    case "rate_limited":
      return new RouterRefusal("rate_limited", message, later);
    case "storage_unavailable":
      return new RouterRefusal("unavailable", message, later);
    default:
      return refusal;
  }
};

export const revokedMessage = "This router was revoked. Ask the operator of this relay.";

/** The secret is looked up again: it may have been changed while the router was being registered. */
const generationOf = ({ registry }: GateParts, router: RouterId, secret: string): number => {
  if (!registry.secretsFor(router).includes(secret)) {
    throw new RouterRefusal(
      "signature_invalid",
      "signature: the router's secret was changed just now. Use the new one.",
    );
  }
  return registry.generationOf(router);
};

const newSessionId = ({ randomBytes }: GateParts): string =>
  `rs_${randomBytes(16).toString("hex")}`;

const confirmation = (
  { clock, version, cloudPort }: GateParts,
  { routerId, identity }: Handshake,
): RouterAnswer => ({
  success: true,
  message: "Handshake accepted",
  service: "claude-relay",
  version,
  timestamp: Math.floor(clock.now() / 1000),
  router_identity: identity,
  router_id: routerId,
  cloud_port: cloudPort,
});
