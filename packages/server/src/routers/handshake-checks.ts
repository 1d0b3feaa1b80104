/** What a handshake is checked for, one thing each. Each throws a RouterRefusal. */
import type { RouterId } from "@claude-relay/contract";
import { isLoopbackAddress } from "../pipeline/loopback.ts";
import { RouterRefusal } from "../pipeline/router-ports.ts";
import type { GateParts } from "./gate-parts.ts";
import type { Freshness, Handshake } from "./handshake-body.ts";
import { holdsRelaySecret, isSecretItself } from "./leaked-secret.ts";
import { rateLimited } from "./rate-refusal.ts";
import { sameSecretly, signHandshake } from "./signing.ts";

type Signed = Extract<Handshake, { kind: "v1" | "legacy" }>;

/** Whether this router may do without a signature, from this address. */
export const opensUnsigned = (
  { isLoopbackListener, registry }: GateParts,
  router: RouterId,
  clientIp: string,
): boolean => isLoopbackListener && isLoopbackAddress(clientIp) && registry.opensUnsigned(router);

/** Whether a secret was sent in this field, where whoever listened could read it. */
const isLeaked = ({ registry }: GateParts, router: RouterId, text: string): boolean => {
  const isKnown = isSecretItself(text, registry.secretsFor(router));
  return holdsRelaySecret(text) || isKnown;
};

/** The first field in which a secret was sent. */
const leakedField = (parts: GateParts, handshake: Handshake): string | null => {
  const fields = {
    signature: handshake.kind === "unsigned" ? "" : handshake.signature,
    router_id: handshake.routerId,
    router_identity: handshake.identity,
    nonce: handshake.kind === "v1" ? handshake.nonce : "",
  };
  let leaked: string | null = null;
  for (const [name, text] of Object.entries(fields).reverse()) {
    leaked = isLeaked(parts, handshake.routerId, text) ? name : leaked;
  }
  return leaked;
};

/** Whether the name a router gives is a secret, and must be neither logged nor stored. */
export const isNamedBySecret = (parts: GateParts, router: RouterId): boolean =>
  isLeaked(parts, router, router);

export const refuseLeaked = (parts: GateParts, handshake: Handshake): void => {
  const field = leakedField(parts, handshake);
  if (field !== null) {
    throw new RouterRefusal(
      "secret_leaked",
      `${field}: this is the secret itself, which now counts as known to others. Change it (claude-relay router rotate, or CLAUDE_RELAY_HANDSHAKE_SECRET), and update the router's script.`,
    );
  }
};

export const demandSignatureForm = ({ signature }: Signed): void => {
  if (!/^[0-9a-f]{64}$/.test(signature)) {
    throw new RouterRefusal(
      "invalid_request",
      "signature: must be 64 lower-case hexadecimal digits.",
    );
  }
};

/** Told on this machine alone: elsewhere a stranger could find out which names are in use. */
export const refuseUnknownHere = (parts: GateParts, router: RouterId, clientIp: string): void => {
  if (opensUnsigned(parts, router, clientIp) && parts.registry.secretsFor(router).length === 0) {
    throw new RouterRefusal(
      "router_unknown",
      `router_id: no secret is known here for this router. ${howToGetASecret} On this machine it may also leave the signature out.`,
    );
  }
};

export const howToGetASecret =
  "Add the router with: claude-relay router add NAME, and put the secret that this prints into its configuration.";

/** Inclusive: the nonce is remembered for as long as a timestamp can be good. */
const longestSkewMs = 300_000;

export const refuseStale = ({ clock }: GateParts, freshness: Freshness): void => {
  const skewMs = freshness.kind === "timestamp" ? clock.now() - Number(freshness.text) * 1000 : 0;
  if (Math.abs(skewMs) > longestSkewMs) {
    throw new RouterRefusal(
      "clock_skew",
      `timestamp: is ${Math.round(Math.abs(skewMs) / 1000)} s ${skewMs > 0 ? "behind" : "ahead of"} this server's clock, more than 300 s. Set the router's clock (/system ntp client), or send a challenge from GET /handshake/challenge.`,
      { server_time: Math.floor(clock.now() / 1000) },
    );
  }
};

/** Which of the router's secrets made the signature. Takes as long for a router that has none. */
export const provenSecret = (
  { registry, decoySecret }: GateParts,
  router: RouterId,
  message: string,
  signature: string,
): string => {
  const secrets = registry.secretsFor(router);
  let proven: string | null = null;
  for (const secret of secrets.length === 0 ? [decoySecret] : secrets) {
    const fits = sameSecretly(signature, signHandshake(secret, message));
    proven = fits && secrets.length > 0 ? (proven ?? secret) : proven;
  }
  if (proven === null) {
    throw new RouterRefusal(
      "signature_invalid",
      "signature: does not fit. Check that router_id is the name the router was added with, and that the secret is the same on both sides.",
    );
  }
  return proven;
};

/** Nothing is spent unless all is well: a replay takes no room of the router's. */
export const spend = (
  parts: GateParts,
  router: RouterId,
  nonce: string,
  freshness: Freshness,
  clientIp: string,
): void => {
  const { nonces, challenges } = parts;
  if (nonces.has(router, nonce)) {
    throw new RouterRefusal("nonce_reused", "nonce: was used before. Make a new one each time.");
  }
  if (freshness.kind === "challenge" && !challenges.isGood(freshness.text)) {
    throw new RouterRefusal(
      "challenge_invalid",
      "challenge: is unknown here, used or older than 60 s. Get a new one from GET /handshake/challenge.",
    );
  }
  takeRoom(parts, router, clientIp);
  if (!nonces.remember(router, nonce)) {
    throw rateLimited("Too many handshakes in the last 10 minutes.", 60);
  }
  if (freshness.kind === "challenge") {
    challenges.use(freshness.text);
  }
};

export const takeRoom = ({ limits }: GateParts, router: RouterId, clientIp: string): void => {
  for (const [limit, key, of] of [
    [limits.routers, router, "of this router"],
    [limits.addresses, clientIp, "from this address"],
  ] as const) {
    const room = limit.take(key);
    if (!room.allowed) {
      throw rateLimited(`Too many handshakes ${of}.`, room.retryAfterMs / 1000);
    }
  }
};
