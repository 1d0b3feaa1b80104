import type { FastifyRequest } from "fastify";
import type { Authenticate } from "../../pipeline/authenticate.ts";
import { readCredential } from "../../pipeline/credential.ts";
import { Refusal } from "../../pipeline/refusal.ts";
import type { Caller } from "../../pipeline/types.ts";
import { clientIp } from "../client-ip.ts";

/** Who reads under /admin: the operator sees all, a caller only itself. */
export type Viewer =
  | { readonly kind: "admin" }
  | { readonly kind: "caller"; readonly caller: Caller };

export interface AdminAccess {
  /** @throws Refusal for anyone who is neither */
  viewer(request: FastifyRequest): Promise<Viewer>;
  /** @throws Refusal `forbidden` for a caller, `credential_*` for anyone else */
  demandAdmin(request: FastifyRequest): Promise<void>;
  ip(request: FastifyRequest): string;
}

type Options = Readonly<{
  isAdmin: (credential: string) => boolean;
  authenticate: Authenticate;
  trustProxy: number;
}>;

export const createAdminAccess = (options: Options): AdminAccess => {
  const ip = (request: FastifyRequest): string => clientIp(request.raw, options.trustProxy);

  const isAdminRequest = (request: FastifyRequest): boolean => {
    try {
      return options.isAdmin(readCredential(request.headers));
    } catch {
      // No readable credential at all: `authenticate` says what is wrong with it, and counts it.
      return false;
    }
  };

  const viewer = async (request: FastifyRequest): Promise<Viewer> => {
    const from = ip(request);
    // A right token always passes. A wrong one is a failed credential like any other, and limited as one.
    if (isAdminRequest(request)) {
      return { kind: "admin" };
    }
    return { kind: "caller", caller: await options.authenticate(request.headers, from) };
  };

  return {
    viewer,
    ip,
    demandAdmin: async (request) => {
      if ((await viewer(request)).kind !== "admin") {
        throw new Refusal(
          "forbidden",
          "This takes the admin token: Authorization: Bearer $ADMIN_TOKEN.",
        );
      }
    },
  };
};
