import {
  ErrorBody,
  NewPolicyBody,
  Policy,
  PolicyChangesBody,
  type PolicyId,
  PolicyListQuery,
  PolicyPage,
  PolicyParams,
} from "@claude-relay/contract";
import type { FastifyInstance } from "fastify";
import type { PolicyAdmin } from "../../pipeline/owner-admin-ports.ts";
import type { PolicyRecord, PolicyRules } from "../../pipeline/owner-ports.ts";
import { type TypedApp, typedApp } from "../typed-app.ts";
import type { AdminAccess } from "./access.ts";
import { wireTime } from "./wire-time.ts";

export type AdminPoliciesDoorDeps = Readonly<{ access: AdminAccess; policies: PolicyAdmin }>;

/** Policies: what callers may do, set on any level; the tightest wins. */
export const adminPoliciesDoor = (server: FastifyInstance, deps: AdminPoliciesDoorDeps): void => {
  const app = typedApp(server);
  app.addHook("onRequest", (request) => deps.access.demandAdmin(request));
  offerReading(app, deps);
  offerChanging(app, deps);
};

const common = { tags: ["Policies"], security: [{ bearer: [] }] };
const one = { ...common, params: PolicyParams, response: { 200: Policy, "4xx": ErrorBody } };

const offerReading = (app: TypedApp, { policies }: AdminPoliciesDoorDeps): void => {
  app.get(
    "/admin/policies",
    {
      schema: {
        ...common,
        summary: "List policies, newest first",
        querystring: PolicyListQuery,
        response: { 200: PolicyPage, "4xx": ErrorBody },
      },
    },
    async ({ query }) => {
      const page = await policies.list({ ...query, limit: query.limit ?? 100 });
      return { data: page.data.map(wire), next_cursor: page.next_cursor };
    },
  );

  app.get(
    "/admin/policies/:id",
    { schema: { ...one, summary: "Get a policy" } },
    async ({ params }) => wire(policies.get(params.id as PolicyId)),
  );
};

const offerChanging = (app: TypedApp, { access, policies }: AdminPoliciesDoorDeps): void => {
  app.post(
    "/admin/policies",
    {
      schema: {
        ...common,
        summary: "Set a policy on the relay, an organization, a user, a device or an app key",
        body: NewPolicyBody,
        response: { 201: Policy, "4xx": ErrorBody },
      },
    },
    async (request, reply) => {
      const { scope: kind, scope_id: id = null, ...rules } = request.body;
      const scope = { kind, id };
      const created = await policies.create(scope, rulesOf(rules), access.ip(request));
      return reply.code(201).send(wire(created));
    },
  );

  app.patch(
    "/admin/policies/:id",
    {
      schema: {
        ...one,
        summary: "Change a policy; a field left out stays as it is, null takes a rule away",
        body: PolicyChangesBody,
      },
    },
    async (request) => {
      const id = request.params.id as PolicyId;
      return wire(await policies.change(id, rulesOf(request.body), access.ip(request)));
    },
  );

  app.delete(
    "/admin/policies/:id",
    { schema: { ...one, summary: "Delete a policy" } },
    async (request) =>
      wire(await policies.remove(request.params.id as PolicyId, access.ip(request))),
  );
};

/** The rules that were given, in our spelling. */
const rulesOf = (body: PolicyChangesBody): Partial<PolicyRules> => ({
  ...(body.models !== undefined && { models: body.models }),
  ...(body.requests_per_minute !== undefined && { requestsPerMinute: body.requests_per_minute }),
  ...(body.input_tokens_per_minute !== undefined && {
    inputTokensPerMinute: body.input_tokens_per_minute,
  }),
  ...(body.output_tokens_per_minute !== undefined && {
    outputTokensPerMinute: body.output_tokens_per_minute,
  }),
  ...(body.concurrency !== undefined && { concurrency: body.concurrency }),
  ...(body.requests_per_day !== undefined && { requestsPerDay: body.requests_per_day }),
  ...(body.on_disconnect !== undefined && { onDisconnect: body.on_disconnect }),
  ...(body.bootstrap !== undefined && { bootstrap: body.bootstrap }),
});

const wire = (policy: PolicyRecord): Policy => ({
  id: policy.id,
  scope: policy.scope.kind,
  scope_id: policy.scope.kind === "relay" ? null : policy.scope.id,
  models: policy.models === null ? null : [...policy.models],
  requests_per_minute: policy.requestsPerMinute,
  input_tokens_per_minute: policy.inputTokensPerMinute,
  output_tokens_per_minute: policy.outputTokensPerMinute,
  concurrency: policy.concurrency,
  requests_per_day: policy.requestsPerDay,
  on_disconnect: policy.onDisconnect,
  bootstrap: policy.bootstrap,
  created_at: wireTime(policy.createdAt),
});
