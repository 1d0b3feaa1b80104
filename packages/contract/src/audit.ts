import { Type } from "typebox";
import { NullableString, PageFields, Time } from "./policy-fields.ts";

export const AuditRow = Type.Object({
  id: Type.Integer(),
  at: Time,
  actor: Type.String(),
  action: Type.String(),
  subject: NullableString,
  outcome: Type.String(),
  detail: Type.Union([Type.Record(Type.String(), Type.Unknown()), Type.Null()]),
  client_ip: NullableString,
});

export const AuditPage = Type.Object({ data: Type.Array(AuditRow), next_cursor: NullableString });

export const AuditListQuery = Type.Object({
  ...PageFields,
  action: Type.Optional(Type.String({ maxLength: 64 })),
  subject: Type.Optional(Type.String({ maxLength: 128 })),
});
