/** A RouterRegistry in memory, for tests of what stands before it. Secrets are made up, not derived. */
import type { RouterId } from "@claude-relay/contract";
import { Refusal } from "../../pipeline/refusal.ts";
import type { RouterEnrollment, RouterProof, RouterRegistry } from "../../pipeline/router-ports.ts";
import type { RouterCaller } from "../../pipeline/types.ts";

type Row = { enrolledBy: RouterEnrollment; generation: number; isRevoked: boolean };

export type MemoryRegistry = RouterRegistry & {
  /** Adds a router by name. Gives its secret. */
  add(id: string): string;
  rotate(id: string): string;
  revoke(id: string): void;
  /** Every proof `admit` was given, in order. */
  readonly admitted: readonly (RouterProof & { readonly id: RouterId })[];
  /** Runs within the next `admit`, as another request might. */
  meanwhile: (() => void) | null;
};

export const createMemoryRegistry = (
  options: Readonly<{ sharedSecret?: string }> = {},
): MemoryRegistry => {
  const { sharedSecret } = options;
  const rows = new Map<RouterId, Row>();
  const admitted: (RouterProof & { readonly id: RouterId })[] = [];

  const rowOf = (id: string): Row => {
    const row = rows.get(id as RouterId);
    if (row === undefined) {
      throw new Error(`no router ${id}`);
    }
    return row;
  };

  const registry: MemoryRegistry = {
    admitted,
    meanwhile: null,
    add: (id) => {
      rows.set(id as RouterId, { enrolledBy: "admin", generation: 1, isRevoked: false });
      return ownSecret(id, 1);
    },
    rotate: (id) => {
      const row = rowOf(id);
      row.generation += 1;
      row.enrolledBy = "admin";
      return ownSecret(id, row.generation);
    },
    revoke: (id) => {
      rowOf(id).isRevoked = true;
    },
    secretsFor: (id) => {
      const row = rows.get(id);
      if (row?.enrolledBy === "admin") {
        return [ownSecret(id, row.generation)];
      }
      return sharedSecret === undefined ? [] : [sharedSecret];
    },
    opensUnsigned: (id) => sharedSecret === undefined && rows.get(id)?.enrolledBy !== "admin",
    admit: async (id, proof) => {
      await Promise.resolve();
      const { meanwhile } = registry;
      registry.meanwhile = null;
      meanwhile?.();
      const { enrolledBy } = proof;
      const row = rows.get(id) ?? { enrolledBy, generation: 1, isRevoked: false };
      rows.set(id, row);
      if (row.isRevoked) {
        throw new Refusal("forbidden", "revoked");
      }
      admitted.push({ ...proof, id });
      return callerOf(id);
    },
    current: (id, generation) => {
      const row = rows.get(id);
      const isGood = row !== undefined && !row.isRevoked && row.generation === generation;
      return isGood ? callerOf(id) : null;
    },
    generationOf: (id) => rows.get(id)?.generation ?? 0,
  };
  return registry;
};

const ownSecret = (id: string, generation: number): string =>
  `crr_test-secret-of-${id}-generation-${generation}`;

const callerOf = (id: RouterId): RouterCaller => ({
  kind: "router",
  id,
  userId: null,
  organizationId: null,
  policy: { models: null, requestsPerMinute: null },
});
