import type { OrganizationId, UserId } from "@claude-relay/contract";

/** What every kind of caller can be given. */
type CallerBody = Readonly<{
  models?: string[] | null;
  requests_per_minute?: number | null;
  user_id?: string | null;
  organization_id?: string | null;
}>;

type CallerSettings = Readonly<{
  models: readonly string[] | null;
  requestsPerMinute: number | null;
  userId: UserId | null;
  organizationId: OrganizationId | null;
}>;

/** The settings that were given, in our spelling. */
export const callerSettingsOf = (body: CallerBody): Partial<CallerSettings> => ({
  ...(body.models !== undefined && { models: body.models }),
  ...(body.requests_per_minute !== undefined && { requestsPerMinute: body.requests_per_minute }),
  ...(body.user_id !== undefined && { userId: body.user_id as UserId | null }),
  ...(body.organization_id !== undefined && {
    organizationId: body.organization_id as OrganizationId | null,
  }),
});
