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

export const NewEnrollmentCodeBody = Type.Object(
  {
    label: Type.Optional(NameField),
    max_uses: Type.Optional(Type.Integer({ minimum: 1, maximum: 100_000, default: 1 })),
    expires_in_hours: Type.Optional(
      Type.Number({ exclusiveMinimum: 0, maximum: 24 * 365, default: 24 }),
    ),
    models: Type.Optional(ModelsField),
    requests_per_minute: Type.Optional(RequestsPerMinuteField),
    user_id: Type.Optional(NameField),
    organization_id: Type.Optional(NameField),
  },
  { additionalProperties: false },
);
export type NewEnrollmentCodeBody = Static<typeof NewEnrollmentCodeBody>;

export const EnrollmentCode = Type.Object({
  id: Type.String(),
  label: NullableString,
  uses_left: Type.Integer(),
  max_uses: Type.Integer(),
  expires_at: Time,
  created_at: Time,
  revoked_at: NullableTime,
  models: ModelsField,
  requests_per_minute: RequestsPerMinuteField,
  user_id: NullableString,
  organization_id: NullableString,
});
export type EnrollmentCode = Static<typeof EnrollmentCode>;

export const MintedEnrollmentCode = Type.Intersect([
  EnrollmentCode,
  Type.Object({
    enrollment_code: Type.String({ description: "The code itself; shown only here" }),
  }),
]);

export const EnrollmentCodePage = pageOf(EnrollmentCode);

export const EnrollmentCodeParams = Type.Object({ id: Type.String({ maxLength: 64 }) });
export const EnrollmentCodeListQuery = listQuery({});
