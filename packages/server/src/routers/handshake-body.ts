import {
  LegacyRouterHandshakeBody,
  RouterHandshakeBody,
  type RouterId,
  type RouterMac,
} from "@claude-relay/contract";
import type { Static, TSchema } from "typebox";
import { Compile } from "typebox/compile";
import { RouterRefusal } from "../pipeline/router-ports.ts";

/** Why the handshake is of now: by the clock, or by a challenge of ours. */
export type Freshness =
  | { readonly kind: "timestamp"; readonly text: string }
  | { readonly kind: "challenge"; readonly text: string };

type Named = Readonly<{ routerId: RouterId; identity: string }>;

/** A handshake whose every field has its form. */
export type Handshake =
  | (Named & Readonly<{ kind: "unsigned" }>)
  | (Named & Readonly<{ kind: "legacy"; timestamp: string; signature: string }>)
  | (Named &
      Readonly<{
        kind: "v1";
        freshness: Freshness;
        nonce: string;
        mac: RouterMac;
        signature: string;
      }>);

/** @throws RouterRefusal `invalid_request` naming every field that is wrong, and what it must be */
export const readHandshake = (body: unknown): Handshake => {
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw new RouterRefusal("invalid_request", "body: must be a JSON object.");
  }
  return Object.hasOwn(body, "v") ? readV1(body) : readLegacy(body);
};

const checkerOf = <Schema extends Fields>(schema: Schema): ((body: object) => Static<Schema>) => {
  const compiled = Compile(schema);
  return (body) => {
    if (!compiled.Check(body)) {
      throw new RouterRefusal("invalid_request", faultsOf(schema, compiled.Errors(body)));
    }
    return body as Static<Schema>;
  };
};

const readV1 = (body: object): Handshake => {
  const checked = checkV1(body);
  const { router_id, router_identity: identity, nonce, mac = "hmac-sha256", signature } = checked;
  const routerId = router_id as RouterId;
  const freshness = freshnessOf(checked);
  return signature === undefined
    ? { kind: "unsigned", routerId, identity }
    : { kind: "v1", routerId, identity, freshness, nonce, mac, signature };
};

const freshnessOf = ({ timestamp, challenge }: RouterHandshakeBody): Freshness => {
  if ((timestamp === undefined) === (challenge === undefined)) {
    throw new RouterRefusal(
      "invalid_request",
      `timestamp, challenge: send exactly one of them, not ${timestamp === undefined ? "neither" : "both"}.`,
    );
  }
  return challenge === undefined
    ? { kind: "timestamp", text: String(timestamp) }
    : { kind: "challenge", text: challenge };
};

const readLegacy = (body: object): Handshake => {
  if (["nonce", "challenge", "mac"].some((field) => Object.hasOwn(body, field))) {
    throw new RouterRefusal("invalid_request", "v: field required, it must be the number 1.");
  }
  const { router_id, router_identity: identity, timestamp, signature } = checkLegacy(body);
  const routerId = router_id as RouterId;
  if (signature === undefined) {
    return { kind: "unsigned", routerId, identity };
  }
  if (timestamp === undefined) {
    throw new RouterRefusal("invalid_request", "timestamp: field required.");
  }
  return { kind: "legacy", routerId, identity, timestamp: String(timestamp), signature };
};

type Fields = TSchema & { readonly properties: Readonly<Record<string, TSchema>> };

type Fault = Readonly<{ instancePath: string; params: object }>;

/** One clause for each field that is wrong. */
const faultsOf = (schema: Fields, faults: readonly Fault[]): string => {
  const clauses = new Map<string, string>();
  for (const { instancePath, params } of faults) {
    const missing = Reflect.get(params, "requiredProperties") ?? [];
    const fields = instancePath === "" ? missing : [instancePath.slice(1)];
    for (const field of fields) {
      clauses.set(field, instancePath === "" ? "field required" : clauseOf(schema, field));
    }
  }
  const told = [...clauses].map(([field, clause]) => `${field}: ${clause}`);
  return `${told.slice(0, mostTold).join("; ")}.`;
};

const clauseOf = ({ properties }: Fields, field: string): string => {
  const known = Object.hasOwn(properties, field) ? properties[field] : undefined;
  return known === undefined
    ? "unknown field, leave it out"
    : `must be ${Reflect.get(known, "description")}`;
};

/** A body may have thousands of fields that are wrong. */
const mostTold = 8;

const checkV1 = checkerOf(RouterHandshakeBody);
const checkLegacy = checkerOf(LegacyRouterHandshakeBody);
