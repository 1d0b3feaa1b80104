import {
  ErrorBody,
  OwnerParams,
  Removed,
  SignInLinkList,
  type UserId,
} from "@claude-relay/contract";
import type { FastifyInstance } from "fastify";
import type { SignInLinkAdmin } from "../../pipeline/sign-in-ports.ts";
import { typedApp } from "../typed-app.ts";
import type { AdminAccess } from "./access.ts";

export type AdminSignInLinksDoorDeps = Readonly<{ access: AdminAccess; links: SignInLinkAdmin }>;

/** Which account at an OpenID provider a user is. */
export const adminSignInLinksDoor = (
  server: FastifyInstance,
  deps: AdminSignInLinksDoorDeps,
): void => {
  const { access, links } = deps;
  const app = typedApp(server);
  app.addHook("onRequest", (request) => access.demandAdmin(request));
  const common = { tags: ["Users"], security: [{ bearer: [] }], params: OwnerParams };

  app.get(
    "/admin/users/:id/sign-in-links",
    {
      schema: {
        ...common,
        summary: "The accounts at OpenID providers that a user signs in with",
        response: { 200: SignInLinkList, "4xx": ErrorBody },
      },
    },
    async (request) => {
      const found = await links.list(request.params.id as UserId);
      return {
        data: found.map(({ issuer, subject, linkedAt }) => ({
          issuer,
          subject,
          linked_at: new Date(linkedAt).toISOString(),
        })),
      };
    },
  );

  app.delete(
    "/admin/users/:id/sign-in-links",
    {
      schema: {
        ...common,
        summary: "Forget a user's accounts at OpenID providers; ends all their sign-ins",
        response: { 200: Removed, "4xx": ErrorBody },
      },
    },
    async (request) => {
      await links.remove(request.params.id as UserId, access.ip(request));
      return { removed: true as const };
    },
  );
};
