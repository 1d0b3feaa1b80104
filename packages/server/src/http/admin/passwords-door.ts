import {
  ErrorBody,
  OwnerParams,
  PasswordBody,
  PasswordSet,
  Removed,
  type UserId,
} from "@claude-relay/contract";
import type { FastifyInstance } from "fastify";
import type { PasswordAdmin } from "../../pipeline/sign-in-ports.ts";
import { typedApp } from "../typed-app.ts";
import type { AdminAccess } from "./access.ts";

export type AdminPasswordsDoorDeps = Readonly<{ access: AdminAccess; passwords: PasswordAdmin }>;

/** What people sign in with. */
export const adminPasswordsDoor = (server: FastifyInstance, deps: AdminPasswordsDoorDeps): void => {
  const { access, passwords } = deps;
  const app = typedApp(server);
  app.addHook("onRequest", (request) => access.demandAdmin(request));
  const common = { tags: ["Users"], security: [{ bearer: [] }], params: OwnerParams };

  app.put(
    "/admin/users/:id/password",
    {
      schema: {
        ...common,
        summary: "Set the password a user signs in with; ends all their sign-ins",
        body: PasswordBody,
        response: { 200: PasswordSet, "4xx": ErrorBody },
      },
    },
    async (request) => {
      const userId = request.params.id as UserId;
      const kept = await passwords.set(userId, request.body.password, access.ip(request));
      return { user_id: kept.userId, changed_at: new Date(kept.changedAt).toISOString() };
    },
  );

  app.delete(
    "/admin/users/:id/password",
    {
      schema: {
        ...common,
        summary: "Let a user sign in no more; ends all their sign-ins",
        response: { 200: Removed, "4xx": ErrorBody },
      },
    },
    async (request) => {
      await passwords.remove(request.params.id as UserId, access.ip(request));
      return { removed: true as const };
    },
  );
};
