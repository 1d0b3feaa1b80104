import type { KnownRouter } from "@claude-relay/contract";
import { count, list, moment, text } from "./cells.ts";
import { printable } from "./fault.ts";
import { table } from "./table.ts";

const headings = [
  "ROUTER",
  "STATUS",
  "SECRET",
  "IDENTITY",
  "ADDED",
  "LAST SEEN",
  "A MINUTE",
  "MODELS",
  "USER",
  "ORGANIZATION",
];

/** Which secret it signs with. */
const secrets: Readonly<Record<KnownRouter["enrolled_by"], string>> = {
  admin: "own",
  shared_secret: "shared",
  loopback: "none",
};

/** The routers as lines of a table; a dash stands for the relay's default. Times are UTC. */
export const routerTable = (routers: readonly KnownRouter[]): string[] =>
  table(
    headings,
    routers.map((router) => [
      printable(router.id),
      printable(router.status),
      secrets[router.enrolled_by] ?? printable(router.enrolled_by),
      text(router.identity),
      moment(router.created_at),
      moment(router.last_seen_at),
      count(router.requests_per_minute),
      list(router.models),
      text(router.user_id),
      text(router.organization_id),
    ]),
  );
