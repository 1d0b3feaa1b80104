import type { IncomingHttpHeaders } from "node:http";
import type { FastifyRequest } from "fastify";
import type { Authenticate } from "../../pipeline/authenticate.ts";
import { callerKey } from "../../pipeline/caller-key.ts";
import { readCredential } from "../../pipeline/credential.ts";
import { Refusal } from "../../pipeline/refusal.ts";
import type { RefusalAudit } from "../../pipeline/refusal-audit.ts";
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
  /** Audits what a known caller was forbidden; to be told of every error of a route that asked who is there. */
  noteError(request: FastifyRequest, error: unknown): void;
}

type Options = Readonly<{
  isAdmin: (credential: string) => boolean;
  authenticate: Authenticate;
  refusals: Pick<RefusalAudit, "record">;
  trustProxy: number;
}>;

export const createAdminAccess = (options: Options): AdminAccess => {
  const callers = new WeakMap<FastifyRequest, Caller>();
  const ip = (request: FastifyRequest): string => clientIp(request.raw, options.trustProxy);

  const viewer = async (request: FastifyRequest): Promise<Viewer> => {
    // A right token always passes. A wrong one is a failed credential like any other, and limited as one.
    if (isAdminRequest(options, request)) {
      return { kind: "admin" };
    }
    const caller = await options.authenticate(request.headers, ip(request));
    callers.set(request, caller);
    return { kind: "caller", caller };
  };

  return {
    viewer,
    ip,
    demandAdmin: async (request) => {
      const { kind } = await viewer(request).catch((error: unknown) => {
        throw forAdminRoute(error, request.headers);
      });
      if (kind !== "admin") {
        throw new Refusal(
          "forbidden",
          `${adminTokenWanted} A caller's own token does not open it.`,
        );
      }
    },
    noteError: (request, error) => {
      const caller = callers.get(request);
      if (caller !== undefined && error instanceof Refusal && error.code === "forbidden") {
        options.refusals.record({
          actor: callerKey(caller),
          action: "admin.refuse",
          subject: `${request.method} ${request.routeOptions.url}`,
          refusal: error,
          clientIp: ip(request),
        });
      }
    },
  };
};

const isAdminRequest = ({ isAdmin }: Options, request: FastifyRequest): boolean => {
  try {
    return isAdmin(readCredential(request.headers));
  } catch {
    // No readable credential at all: `authenticate` says what is wrong with it, and counts it.
    return false;
  }
};

const adminTokenWanted =
  "This route takes the admin token, as 'Authorization: Bearer $ADMIN_TOKEN': it is ADMIN_TOKEN in the relay's settings, or was printed at its first start and is in secrets.json in DATA_DIR.";

/** Asks for the right token: a device's, new or renewed, would not open the route either. */
const forAdminRoute = (error: unknown, headers: IncomingHttpHeaders): unknown => {
  if (!(error instanceof Refusal && error.code.startsWith("credential_"))) {
    return error;
  }
  const fault = faultOf(error, headers);
  return fault === null ? error : new Refusal("credential_invalid", `${fault} ${adminTokenWanted}`);
};

/** What is wrong with a credential that is not the admin token; null where the refusal says it itself. */
const faultOf = (refusal: Refusal, headers: IncomingHttpHeaders): string | null => {
  if (headers.authorization === undefined && headers["x-api-key"] === undefined) {
    return "A credential is required.";
  }
  try {
    readCredential(headers);
    return "This is not the admin token.";
  } catch {
    return refusal.code === "credential_expired" ? "The credential is empty." : null;
  }
};
