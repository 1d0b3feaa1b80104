import { type Static, Type } from "typebox";
import {
  listQuery,
  ModelsField,
  NameField,
  NullableString,
  NullableTime,
  pageOf,
  RequestsPerMinuteField,
  Time,
} from "./policy-fields.ts";

/** A key's name and id, such as `my-app`. */
export const AppKeyLabelField = Type.String({
  pattern: "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$",
  description: "1–64 letters, digits, dots, dashes and underscores; begins with a letter or digit",
});

/** Where a key may be used. */
export const Door = Type.Union([
  Type.Literal("messages"),
  Type.Literal("complete"),
  Type.Literal("fetch"),
]);
export type Door = Static<typeof Door>;

const DoorsField = Type.Union([Type.Array(Door, { maxItems: 3 }), Type.Null()]);
const CountField = Type.Union([Type.Integer({ minimum: 1, maximum: 1_000_000_000 }), Type.Null()]);

const policy = {
  models: Type.Optional(ModelsField),
  requests_per_minute: Type.Optional(RequestsPerMinuteField),
  requests_per_day: Type.Optional(CountField),
  concurrency: Type.Optional(CountField),
  doors: Type.Optional(DoorsField),
  user_id: Type.Optional(NameField),
  organization_id: Type.Optional(NameField),
};

export const NewAppKeyBody = Type.Object(
  {
    label: AppKeyLabelField,
    expires_in_hours: Type.Optional(
      Type.Union([Type.Number({ exclusiveMinimum: 0, maximum: 24 * 365 * 10 }), Type.Null()]),
    ),
    ...policy,
  },
  { additionalProperties: false },
);

/** What an admin may change; a field left out stays as it is. */
export const AppKeyChangesBody = Type.Object(
  { expires_at: Type.Optional(NullableTime), ...policy },
  { additionalProperties: false, minProperties: 1 },
);
export type AppKeyChangesBody = Static<typeof AppKeyChangesBody>;

export const RotateAppKeyBody = Type.Object(
  {
    grace_seconds: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 7 * 24 * 3600,
        default: 3600,
        description: "How long the old secret keeps working",
      }),
    ),
  },
  { additionalProperties: false },
);

export const AppKey = Type.Object({
  label: Type.String(),
  status: Type.Union([Type.Literal("active"), Type.Literal("revoked"), Type.Literal("expired")]),
  created_at: Time,
  expires_at: NullableTime,
  revoked_at: NullableTime,
  last_used_at: NullableTime,
  rotated_at: NullableTime,
  previous_secret_valid_until: NullableTime,
  models: ModelsField,
  requests_per_minute: RequestsPerMinuteField,
  requests_per_day: CountField,
  concurrency: CountField,
  doors: DoorsField,
  user_id: NullableString,
  organization_id: NullableString,
});
export type AppKey = Static<typeof AppKey>;

export const MintedAppKey = Type.Intersect([
  AppKey,
  Type.Object({ secret: Type.String({ description: "The key itself; shown only here" }) }),
]);

export const AppKeyPage = pageOf(AppKey);
export const AppKeyParams = Type.Object({ label: Type.String({ maxLength: 64 }) });
export const AppKeyListQuery = listQuery({});
