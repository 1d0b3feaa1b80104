import { randomUUID } from "node:crypto";
import type { PolicyId } from "@claude-relay/contract";
import type { PolicyAdmin } from "../pipeline/owner-admin-ports.ts";
import type { PolicyRecord, PolicyRules } from "../pipeline/owner-ports.ts";
import { Refusal } from "../pipeline/refusal.ts";
import { createAdminRecord } from "./admin-record.ts";
import type { OwnerAdminOptions } from "./owner-admin.ts";
import { checkedScope, type Scopes } from "./owner-checks.ts";

export const createPolicyAdmin = (options: OwnerAdminOptions, scopes: Scopes): PolicyAdmin => {
  const { index, audit, clock } = options;
  const store = options.stores.policies;
  const record = createAdminRecord(audit, clock);

  const get = (id: PolicyId): PolicyRecord => {
    const policy = index.policies.get(id);
    if (policy === null) {
      throw missing(id);
    }
    return policy;
  };

  return {
    create: (given, rules, clientIp) =>
      index.alone(async () => {
        const scope = checkedScope(scopes, given);
        checkRules(scope.kind, rules);
        const taken = index.policyOf(scope);
        if (taken !== null) {
          throw new Refusal(
            "conflict",
            `${nameOf(taken)} has the policy "${taken.id}" already: change that one (PATCH /admin/policies/${taken.id}).`,
          );
        }
        const id = `pol_${randomUUID().replaceAll("-", "")}` as PolicyId;
        const policy = { ...noRules, ...rules, id, scope, createdAt: clock.now() };
        const kept = index.policies.keep(await store.insert(policy));
        await record("policy.create", id, { scope, ...rules }, clientIp);
        return kept;
      }),
    list: (query) => store.list(query),
    get,
    change: (id, rules, clientIp) =>
      index.alone(async () => {
        const before = get(id);
        checkRules(before.scope.kind, rules);
        const changed = await store.replace({ ...before, ...rules });
        if (changed === null) {
          throw missing(id);
        }
        index.policies.keep(changed);
        await record("policy.change", id, rules, clientIp);
        return changed;
      }),
    remove: (id, clientIp) =>
      index.alone(async () => {
        const before = get(id);
        await store.remove(id);
        index.policies.forget(id);
        await record("policy.delete", id, { scope: before.scope }, clientIp);
        return before;
      }),
  };
};

const noRules: PolicyRules = {
  models: null,
  requestsPerMinute: null,
  inputTokensPerMinute: null,
  outputTokensPerMinute: null,
  concurrency: null,
  requestsPerDay: null,
  onDisconnect: null,
  bootstrap: null,
};

const missing = (id: PolicyId): Refusal =>
  new Refusal("not_found", `No policy has the id "${id}". GET /admin/policies lists them.`);

const nameOf = ({ scope: { kind, id } }: PolicyRecord): string =>
  kind === "relay" ? "The relay" : `The ${kind.replace("_", " ")} "${id}"`;

/** A rule that nothing would ever read is a mistake. */
const checkRules = (kind: PolicyRecord["scope"]["kind"], rules: Partial<PolicyRules>): void => {
  const enrolls = kind === "relay" || kind === "organization";
  if (rules.bootstrap !== undefined && rules.bootstrap !== null && !enrolls) {
    throw new Refusal(
      "invalid_request",
      "bootstrap: who becomes a device can be set for the relay and for organizations only: leave it out.",
    );
  }
};
