import { Type } from "typebox";
import { listQuery, NullableString, pageOf, Time } from "./policy-fields.ts";

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

export const AuditPage = pageOf(AuditRow);

export const AuditListQuery = listQuery({
  action: Type.Optional(Type.String({ maxLength: 64 })),
  subject: Type.Optional(Type.String({ maxLength: 128 })),
});
