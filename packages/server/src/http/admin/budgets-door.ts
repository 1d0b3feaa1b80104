import {
  type BindingBudget,
  BindingBudgetPage,
  Budget,
  BudgetChangesBody,
  type BudgetId,
  BudgetListQuery,
  BudgetPage,
  BudgetParams,
  BudgetQuery,
  BudgetReport,
  ErrorBody,
  NewBudgetBody,
  type WindowField,
} from "@claude-relay/contract";
import type { FastifyInstance } from "fastify";
import { Type } from "typebox";
import type { BudgetWindow } from "../../pipeline/admission.ts";
import type {
  BindingBudgets,
  BudgetAdmin,
  StandingBudget,
  StandingForCaller,
} from "../../pipeline/owner-admin-ports.ts";
import type { BudgetRecord } from "../../pipeline/owner-ports.ts";
import { room } from "../room.ts";
import { type TypedApp, typedApp } from "../typed-app.ts";
import type { AdminAccess } from "./access.ts";
import { wireTime, wireTimeOrNull } from "./wire-time.ts";

export type AdminBudgetsDoorDeps = Readonly<{
  access: AdminAccess;
  budgets: BudgetAdmin;
  binding: BindingBudgets;
}>;

/** Budgets: caps on money and tokens that are never overshot. A caller sees how those stand that bind it. */
export const adminBudgetsDoor = (server: FastifyInstance, deps: AdminBudgetsDoorDeps): void => {
  offerList(typedApp(server), deps);
  void server.register(
    room((inner) => {
      inner.addHook("onRequest", (request) => deps.access.demandAdmin(request));
      const app = typedApp(inner);
      offerOne(app, deps);
      offerChanging(app, deps);
    }),
  );
};

const common = { tags: ["Budgets"], security: [{ bearer: [] }] };
const one = { ...common, params: BudgetParams, response: { 200: Budget, "4xx": ErrorBody } };

const offerList = (app: TypedApp, { access, budgets, binding }: AdminBudgetsDoorDeps): void => {
  app.get(
    "/admin/budgets",
    {
      schema: {
        ...common,
        summary: "List budgets and how they stand, newest first",
        description: "To a caller: those that bind it, whole; to an admin: all, in pages.",
        querystring: BudgetListQuery,
        response: { 200: Type.Union([BudgetPage, BindingBudgetPage]), "4xx": ErrorBody },
      },
    },
    async (request) => {
      const viewer = await access.viewer(request);
      const { session_id, ...query } = request.query;
      switch (viewer.kind) {
        case "admin": {
          const page = await budgets.list({ ...query, limit: query.limit ?? 100 });
          return { data: page.data.map(report), next_cursor: page.next_cursor };
        }
        case "caller": {
          const found = await binding(viewer.caller, session_id ?? null);
          return { data: found.map(wireBinding), next_cursor: null };
        }
      }
    },
  );
};

const offerOne = (app: TypedApp, { budgets }: AdminBudgetsDoorDeps): void => {
  app.get(
    "/admin/budgets/:id",
    {
      schema: {
        ...one,
        summary: "Get a budget and how it stands",
        querystring: BudgetQuery,
        response: { 200: BudgetReport, "4xx": ErrorBody },
      },
    },
    async ({ params, query }) =>
      report(await budgets.get(params.id as BudgetId, query.session_id ?? null)),
  );
};

const offerChanging = (app: TypedApp, { access, budgets }: AdminBudgetsDoorDeps): void => {
  app.post(
    "/admin/budgets",
    {
      schema: {
        ...common,
        summary: "Cap what a scope may spend, in micro-dollars or tokens",
        body: NewBudgetBody,
        response: { 201: Budget, "4xx": ErrorBody },
      },
    },
    async (request, reply) => {
      const { scope: kind, scope_id: id = null, window, ...amount } = request.body;
      const created = await budgets.create(
        { kind, id },
        amountOf(amount),
        windowOf(window),
        access.ip(request),
      );
      return reply.code(201).send(wire(created));
    },
  );

  app.patch(
    "/admin/budgets/:id",
    {
      schema: {
        ...one,
        summary: "Change a budget's limit or window; a field left out stays as it is",
        body: BudgetChangesBody,
      },
    },
    async (request) => {
      const { window, ...amount } = request.body;
      const changed = await budgets.change(
        request.params.id as BudgetId,
        amountOf(amount),
        window === undefined ? undefined : windowOf(window),
        access.ip(request),
      );
      return wire(changed);
    },
  );

  app.delete(
    "/admin/budgets/:id",
    { schema: { ...one, summary: "Delete a budget: nothing is held to it any more" } },
    async (request) =>
      wire(await budgets.remove(request.params.id as BudgetId, access.ip(request))),
  );
};

const amountOf = (body: Pick<NewBudgetBody, "limit_micro_usd" | "limit_tokens">) => ({
  microUsd: body.limit_micro_usd,
  tokens: body.limit_tokens,
});

const windowOf = (window: WindowField): BudgetWindow =>
  typeof window === "string" ? { kind: window } : { kind: "rolling", hours: window.rolling_hours };

const wireWindow = (window: BudgetWindow): WindowField =>
  window.kind === "rolling" ? { rolling_hours: window.hours } : window.kind;

const wire = ({ id, scope, unit, limit, window, createdAt }: BudgetRecord): Budget => ({
  id,
  scope: scope.kind,
  scope_id: scope.kind === "relay" ? null : scope.id,
  limit_micro_usd: unit === "micro_usd" ? limit : null,
  limit_tokens: unit === "tokens" ? limit : null,
  window: wireWindow(window),
  created_at: wireTime(createdAt),
});

const report = ({ record, state }: StandingBudget): BudgetReport => ({
  ...wire(record),
  limit: record.limit,
  held: state?.held ?? null,
  spent: state?.spent ?? null,
  left: state?.left ?? null,
  resets_at: wireTimeOrNull(state?.resetsAt ?? null),
});

const wireBinding = ({
  budget: { scope, unit, window, limit },
  remaining,
  resetsAt,
  isShared,
}: StandingForCaller): BindingBudget => ({
  scope: scope.kind,
  unit,
  window: wireWindow(window),
  limit: isShared ? null : limit,
  remaining: isShared ? null : remaining,
  // Whole percents: a finer figure would tell a shared limit to whoever knows what he spent of it himself.
  remaining_percent: limit === 0 ? 0 : Math.floor((remaining * 100) / limit),
  resets_at: wireTimeOrNull(resetsAt),
});
