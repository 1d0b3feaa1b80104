import type { DeviceId, EpochMs, ModelId, OrganizationId, UserId } from "@claude-relay/contract";
import type { UsageDimension, UsageFilter } from "../../pipeline/ports.ts";
import { Refusal } from "../../pipeline/refusal.ts";
import type { Viewer } from "./access.ts";

type FilterQuery = Readonly<{
  from?: string;
  to?: string;
  device?: string;
  user?: string;
  org?: string;
  model?: string;
}>;

/** What a query asks for. @throws Refusal `invalid_request` */
export const filterOf = (query: FilterQuery): UsageFilter => ({
  from: instant("from", query.from),
  to: instant("to", query.to),
  device: query.device as DeviceId | undefined,
  user: query.user as UserId | undefined,
  organization: query.org as OrganizationId | undefined,
  model: query.model as ModelId | undefined,
});

/** @throws Refusal `forbidden` when a caller asks for another's usage */
export const narrow = (filter: UsageFilter, viewer: Viewer): UsageFilter => {
  if (viewer.kind === "admin") {
    return filter;
  }
  const own = viewer.caller.id;
  if (filter.device !== undefined && filter.device !== own) {
    throw new Refusal("forbidden", "A device sees only its own usage: leave `device` out.");
  }
  return { ...filter, device: own };
};

const instant = (field: string, value: string | undefined): EpochMs | undefined => {
  if (value === undefined) {
    return undefined;
  }
  const parsed = Date.parse(value);
  if (Number.isNaN(parsed)) {
    throw new Refusal(
      "invalid_request",
      `${field} must be a time such as 2026-11-21 or 2026-11-21T13:00:00Z.`,
    );
  }
  return parsed as EpochMs;
};

/** `group_by=model,day` */
export const dimensionsOf = (groupBy: string | undefined): UsageDimension[] =>
  [...new Set(groupBy?.split(",") ?? [])].map((name) =>
    name === "org" ? "organization" : (name as UsageDimension),
  );
