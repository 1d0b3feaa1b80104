/**
 * Fastify with every door. The Messages door reads and writes the bare socket itself;
 * our own routes get JSON bodies, schemas, and a log line each.
 */

import type { Server } from "node:http";
import type { RequestId } from "@claude-relay/contract";
import swagger from "@fastify/swagger";
import Fastify, { type FastifyError, type FastifyInstance, type FastifyReply } from "fastify";
import type { Log } from "../pipeline/log.ts";
import { Refusal } from "../pipeline/refusal.ts";
import type { Clock } from "../pipeline/types.ts";
import { type AdminAuditDoorDeps, adminAuditDoor } from "./admin/audit-door.ts";
import { type AdminBreakerDoorDeps, adminBreakerDoor } from "./admin/breaker-door.ts";
import { type AdminBudgetsDoorDeps, adminBudgetsDoor } from "./admin/budgets-door.ts";
import { type AdminCodesDoorDeps, adminCodesDoor } from "./admin/codes-door.ts";
import { type AdminDevicesDoorDeps, adminDevicesDoor } from "./admin/devices-door.ts";
import { type AdminEventsDoorDeps, adminEventsDoor } from "./admin/events-door.ts";
import { type AdminKeysDoorDeps, adminKeysDoor } from "./admin/keys-door.ts";
import {
  type AdminManagedSettingsDoorDeps,
  adminManagedSettingsDoor,
} from "./admin/managed-settings-door.ts";
import {
  type AdminOrganizationsDoorDeps,
  adminOrganizationsDoor,
} from "./admin/organizations-door.ts";
import { type AdminPasswordsDoorDeps, adminPasswordsDoor } from "./admin/passwords-door.ts";
import { type AdminPoliciesDoorDeps, adminPoliciesDoor } from "./admin/policies-door.ts";
import { type AdminReconcileDoorDeps, adminReconcileDoor } from "./admin/reconcile-door.ts";
import { type AdminRoutersDoorDeps, adminRoutersDoor } from "./admin/routers-door.ts";
import { type AdminSignInLinksDoorDeps, adminSignInLinksDoor } from "./admin/sign-in-links-door.ts";
import { type AdminUsageDoorDeps, adminUsageDoor } from "./admin/usage-door.ts";
import { type AdminUsersDoorDeps, adminUsersDoor } from "./admin/users-door.ts";
import { type CompleteDoorDeps, completeDoor } from "./apps/complete-door.ts";
import { type FetchDoorDeps, fetchDoor } from "./apps/fetch-door.ts";
import { createBareServer } from "./bare-server.ts";
import { type BootstrapDoorDeps, bootstrapDoor } from "./bootstrap-door.ts";
import { createCors } from "./cors.ts";
import { asRefusal, errorReply } from "./error-reply.ts";
import { frontPageDoor } from "./front-page-door.ts";
import { type HealthDoorDeps, healthDoor } from "./health-door.ts";
import { ownBodyLimit, readJsonBodies } from "./json-bodies.ts";
import { type MessagesDoorDeps, messagesDoor } from "./messages-door.ts";
import { openApiInfo } from "./openapi-info.ts";
import { newRequestId } from "./request-id.ts";
import { room } from "./room.ts";
import { refusalForSchema } from "./schema-faults.ts";
import { compileValidator } from "./schema-validator.ts";

export type AppDeps = Readonly<{
  clock: Clock;
  log: Log;
  version: string;
  requestTimeoutMs: number;
  corsOrigins: readonly string[];
  isDraining: () => boolean;
  health: HealthDoorDeps;
  messages: MessagesDoorDeps;
  bootstrap: BootstrapDoorDeps;
  usage: AdminUsageDoorDeps;
  reconcile: AdminReconcileDoorDeps;
  breaker: AdminBreakerDoorDeps;
  devices: AdminDevicesDoorDeps;
  codes: AdminCodesDoorDeps;
  keys: AdminKeysDoorDeps;
  routers: AdminRoutersDoorDeps;
  organizations: AdminOrganizationsDoorDeps;
  users: AdminUsersDoorDeps;
  passwords: AdminPasswordsDoorDeps;
  signInLinks: AdminSignInLinksDoorDeps;
  managedSettings: AdminManagedSettingsDoorDeps;
  policies: AdminPoliciesDoorDeps;
  budgets: AdminBudgetsDoorDeps;
  complete: CompleteDoorDeps;
  fetch: FetchDoorDeps;
  audit: AdminAuditDoorDeps;
  events: AdminEventsDoorDeps;
  /** People who sign in; null when they may not. */
  gateway: ((scope: FastifyInstance) => void) | null;
}>;

export const buildApp = async (deps: AppDeps): Promise<FastifyInstance> => {
  const app = Fastify<Server>({
    logger: false,
    exposeHeadRoutes: false,
    serverFactory: (handler) =>
      createBareServer(handler, {
        requestTimeoutMs: deps.requestTimeoutMs,
        clock: deps.clock,
        isDraining: deps.isDraining,
        cors: createCors(deps.corsOrigins),
        bodyLimit: (path) =>
          ownRoute.test(path)
            ? { bytes: ownBodyLimit }
            : { bytes: deps.messages.maxPayloadBytes, setting: "MAX_PAYLOAD_SIZE" },
      }),
    genReqId: () => newRequestId(deps.clock.now()),
    // A device id has up to 128 characters, each up to three as it stands in a path.
    routerOptions: { maxParamLength: 400 },
    // A path that cannot be decoded.
    frameworkErrors: (error, request, reply) => sendRefusal(reply, refusalOf(error), request),
  });
  // The body of a request that goes nowhere is not read.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", (_request, _payload, done) => done(null));
  // Bodies are judged as they are; in a query "5" becomes the number it means.
  app.setValidatorCompiler(compileValidator);
  await app.register(swagger, { openapi: openApiInfo(deps.version) });
  answerErrors(app, deps);
  await app.register(
    room((scope) => {
      messagesDoor(scope, deps.messages);
      completeDoor(scope, deps.complete);
      fetchDoor(scope, deps.fetch);
    }),
  );
  // Without a log line each: an orchestrator asks every few seconds.
  await app.register(room((scope) => healthDoor(scope, deps.health)));
  await app.register(room(frontPageDoor));
  await app.register(
    room((scope) => {
      readJsonBodies(scope);
      logRequests(scope, deps.log);
      scope.addHook("onError", (request, _reply, error, done) => {
        deps.audit.access.noteError(request, error);
        done();
      });
      bootstrapDoor(scope, deps.bootstrap);
      adminUsageDoor(scope, deps.usage);
      adminReconcileDoor(scope, deps.reconcile);
      adminBreakerDoor(scope, deps.breaker);
      adminAuditDoor(scope, deps.audit);
      adminEventsDoor(scope, deps.events);
      void scope.register(room((inner) => adminDevicesDoor(inner, deps.devices)));
      void scope.register(room((inner) => adminCodesDoor(inner, deps.codes)));
      void scope.register(room((inner) => adminKeysDoor(inner, deps.keys)));
      void scope.register(room((inner) => adminRoutersDoor(inner, deps.routers)));
      void scope.register(room((inner) => adminOrganizationsDoor(inner, deps.organizations)));
      void scope.register(room((inner) => adminUsersDoor(inner, deps.users)));
      void scope.register(room((inner) => adminPasswordsDoor(inner, deps.passwords)));
      void scope.register(room((inner) => adminSignInLinksDoor(inner, deps.signInLinks)));
      void scope.register(room((inner) => adminManagedSettingsDoor(inner, deps.managedSettings)));
      void scope.register(room((inner) => adminPoliciesDoor(inner, deps.policies)));
      void scope.register(room((inner) => adminBudgetsDoor(inner, deps.budgets)));
    }),
  );
  const { gateway } = deps;
  if (gateway !== null) {
    await app.register(
      room((scope) => {
        logRequests(scope, deps.log);
        gateway(scope);
      }),
    );
  }
  return app;
};

/** Routes whose bodies are small; see json-bodies.ts. */
const ownRoute = /^\/(?:bootstrap|refresh|admin\/.*|oauth\/.*|device)$/;

const answerErrors = (app: FastifyInstance, { log }: AppDeps): void => {
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const refusal = refusalOf(error);
    if (refusal.code === "internal") {
      log.error({ requestId: request.id, error: error.stack ?? String(error) }, "The relay failed");
    }
    return sendRefusal(reply, refusal, request);
  });
  app.setNotFoundHandler((request) => {
    throw notOffered(request.method, request.url.split("?")[0] ?? "");
  });
};

type Asked = Readonly<{ id: string; url: string }>;

const sendRefusal = (reply: unknown, refusal: Refusal, { id, url }: Asked): void => {
  const { status, headers, body } = errorReply(refusal, id as RequestId, url);
  // Fastify types the replies of its two hooks differently; at run time they are one class.
  const plain = reply as FastifyReply;
  plain.code(status).headers(headers).serializer(JSON.stringify).send(body);
};

const refusalOf = (error: FastifyError): Refusal => {
  if (error.validation !== undefined) {
    return refusalForSchema(error.validation, error.validationContext);
  }
  if (error.code === "FST_ERR_CTP_INVALID_MEDIA_TYPE") {
    return new Refusal(
      "unsupported_media_type",
      "content-type must be application/json, in UTF-8.",
    );
  }
  if (!(error instanceof Refusal) && error.statusCode !== undefined && error.statusCode < 500) {
    return new Refusal("invalid_request", error.message);
  }
  return asRefusal(error);
};

const notOffered = (method: string, path: string): Refusal =>
  new Refusal(
    "not_found",
    path.startsWith("/v1/")
      ? `${method} ${path.slice(0, 128)} is not offered here. Offered are POST /v1/messages, POST /v1/messages/count_tokens, POST /v1/complete, POST /v1/fetch, GET /v1/models and GET /v1/models/{id}.`
      : `${method} ${path.slice(0, 128)} does not exist here. See openapi.json for what does.`,
  );

const logRequests = (app: FastifyInstance, log: Log): void => {
  app.addHook("onRequest", (request, _reply, done) => {
    log.info(
      { requestId: request.id, method: request.method, path: request.url.split("?")[0] },
      "Incoming request",
    );
    done();
  });
  app.addHook("onResponse", (request, reply, done) => {
    log.info(
      {
        requestId: request.id,
        status: reply.statusCode,
        durationMs: Math.round(reply.elapsedTime),
      },
      "Request completed",
    );
    done();
  });
};
