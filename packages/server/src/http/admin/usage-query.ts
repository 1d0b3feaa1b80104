import type {
  AppKeyId,
  DeviceId,
  ModelId,
  OrganizationId,
  RouterId,
  UserId,
} from "@claude-relay/contract";
import type { UsageDimension, UsageFilter } from "../../pipeline/ports.ts";
import { Refusal } from "../../pipeline/refusal.ts";
import type { Operation } from "../../pipeline/types.ts";
import type { Viewer } from "./access.ts";
import { instant } from "./usage-time.ts";

type FilterQuery = Readonly<{
  from?: string;
  to?: string;
  device?: string;
  app_key?: string;
  router?: string;
  user?: string;
  org?: string;
  model?: string;
  operation?: Operation["kind"];
  upstream?: string;
  status?: number;
}>;

/** What a query asks for. @throws Refusal `invalid_request` */
export const filterOf = (query: FilterQuery): UsageFilter => {
  const from = query.from === undefined ? undefined : instant("from", query.from);
  const to = query.to === undefined ? undefined : instant("to", query.to);
  if (from !== undefined && to !== undefined && from > to) {
    throw new Refusal("invalid_request", "from must not be after to.");
  }
  return {
    from,
    to,
    ...callerOf(query),
    user: query.user as UserId | undefined,
    organization: query.org as OrganizationId | undefined,
    model: query.model as ModelId | undefined,
    operation: query.operation,
    upstream: query.upstream,
    status: query.status,
  };
};

const callerOf = ({ device, app_key: appKey, router }: FilterQuery): UsageFilter => {
  if ([device, appKey, router].filter((caller) => caller !== undefined).length > 1) {
    throw new Refusal(
      "invalid_request",
      "device, app_key and router exclude each other: leave all but one out.",
    );
  }
  if (device !== undefined) {
    return { callerKind: "device", callerId: device as DeviceId };
  }
  if (appKey !== undefined) {
    return { callerKind: "app_key", callerId: appKey as AppKeyId };
  }
  return router === undefined ? {} : { callerKind: "router", callerId: router as RouterId };
};

/**
 * The filter as far as the viewer may see: whatever else a caller asks for, it gets only its own rows.
 * @throws Refusal `forbidden` when a caller asks for another's usage
 */
export const narrow = (filter: UsageFilter, viewer: Viewer): UsageFilter => {
  if (viewer.kind === "admin") {
    return filter;
  }
  const { kind, id } = viewer.caller;
  if (filter.callerId !== undefined && (kind !== filter.callerKind || id !== filter.callerId)) {
    throw new Refusal(
      "forbidden",
      "Without the admin token a caller sees only its own usage: leave `device`, `app_key` and `router` out.",
    );
  }
  return { ...filter, callerKind: kind, callerId: id };
};

/** `group_by=model,day` */
export const dimensionsOf = (groupBy: string | undefined): UsageDimension[] =>
  [...new Set(groupBy?.split(",") ?? [])].map((name) =>
    name === "org" ? "organization" : (name as UsageDimension),
  );
