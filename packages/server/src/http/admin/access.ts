import type { FastifyRequest } from "fastify";
import type { Authenticate } from "../../pipeline/authenticate.ts";
import { readCredential } from "../../pipeline/credential.ts";
import type { RateLimiter } from "../../pipeline/rate-limiter.ts";
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
  /** Failed credentials by address, shared with every other door. */
  failures: RateLimiter;
  trustProxy: number;
}>;

export const createAdminAccess = (options: Options): AdminAccess => {
  const ip = (request: FastifyRequest): string => clientIp(request.raw, options.trustProxy);

  const viewer = async (request: FastifyRequest): Promise<Viewer> => {
    const from = ip(request);
    const room = options.failures.peek(from);
    // Guessing the admin token is bounded like any other guess.
    if (room.allowed && options.isAdmin(readCredential(request.headers))) {
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
