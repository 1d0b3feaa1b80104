import { type Static, Type } from "typebox";
import { OwnerIdField } from "./organizations.ts";
import { listQuery, NameField, NullableString, pageOf, Time } from "./policy-fields.ts";

export const NewUserBody = Type.Object(
  { id: OwnerIdField, name: Type.Optional(NameField), organization_id: Type.Optional(NameField) },
  { additionalProperties: false },
);
export type NewUserBody = Static<typeof NewUserBody>;

/** What an admin may change; a field left out stays as it is. */
export const UserChangesBody = Type.Object(
  { name: Type.Optional(NameField), organization_id: Type.Optional(NameField) },
  { additionalProperties: false, minProperties: 1 },
);
export type UserChangesBody = Static<typeof UserChangesBody>;

export const User = Type.Object({
  id: Type.String(),
  name: NullableString,
  organization_id: NullableString,
  created_at: Time,
});
export type User = Static<typeof User>;

export const UserPage = pageOf(User);

export const UserListQuery = listQuery({});
