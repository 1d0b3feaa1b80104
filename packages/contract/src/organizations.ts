import { type Static, Type } from "typebox";
import { listQuery, NameField, NullableString, pageOf, Time } from "./policy-fields.ts";

/** How an organization or a user is called: `acme`, `ann@example.com`. */
export const OwnerIdField = Type.String({
  pattern: "^[A-Za-z0-9][A-Za-z0-9._@-]{0,127}$",
  description:
    "1–128 letters, digits, dots, dashes, underscores and @; begins with a letter or digit",
});

/** Ids taken over from before there were rules for them may look otherwise. */
export const OwnerParams = Type.Object({ id: Type.String({ maxLength: 128 }) });

export const NewOrganizationBody = Type.Object(
  { id: OwnerIdField, name: Type.Optional(NameField) },
  { additionalProperties: false },
);
export type NewOrganizationBody = Static<typeof NewOrganizationBody>;

/** What an admin may change; a field left out stays as it is. */
export const OrganizationChangesBody = Type.Object(
  { name: Type.Optional(NameField) },
  { additionalProperties: false, minProperties: 1 },
);
export type OrganizationChangesBody = Static<typeof OrganizationChangesBody>;

export const Organization = Type.Object({
  id: Type.String(),
  name: NullableString,
  created_at: Time,
});
export type Organization = Static<typeof Organization>;

export const OrganizationPage = pageOf(Organization);

export const OrganizationListQuery = listQuery({});
