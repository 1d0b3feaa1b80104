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

/** A router's name and id, such as `office`: as it sends it in `router_id`. */
const RouterIdField = Type.String({
  pattern: "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$",
  description: "1–64 letters, digits, dots, dashes and underscores; begins with a letter or digit",
});

const policy = {
  models: Type.Optional(ModelsField),
  requests_per_minute: Type.Optional(RequestsPerMinuteField),
  user_id: Type.Optional(NameField),
  organization_id: Type.Optional(NameField),
};

export const NewRouterBody = Type.Object(
  { id: RouterIdField, ...policy },
  { additionalProperties: false },
);

/** What an admin may change; a field left out stays as it is. */
export const RouterChangesBody = Type.Object(policy, {
  additionalProperties: false,
  minProperties: 1,
});
export type RouterChangesBody = Static<typeof RouterChangesBody>;

export const KnownRouter = Type.Object({
  id: Type.String(),
  status: Type.Union([Type.Literal("active"), Type.Literal("revoked")]),
  enrolled_by: Type.Union(
    [Type.Literal("admin"), Type.Literal("shared_secret"), Type.Literal("loopback")],
    {
      description:
        "admin: it has a secret of its own. shared_secret, loopback: it came by itself, with the shared secret or unsigned from this machine",
    },
  ),
  identity: Type.Union([Type.String(), Type.Null()], {
    description: "What it last called itself (/system identity)",
  }),
  created_at: Time,
  rotated_at: NullableTime,
  revoked_at: NullableTime,
  last_seen_at: NullableTime,
  models: ModelsField,
  requests_per_minute: RequestsPerMinuteField,
  user_id: NullableString,
  organization_id: NullableString,
});
export type KnownRouter = Static<typeof KnownRouter>;

export const RouterWithSecret = Type.Intersect([
  KnownRouter,
  Type.Object({
    secret: Type.String({ description: "What the router signs with; shown only here" }),
  }),
]);

export const RouterPage = pageOf(KnownRouter);
export const RouterParams = Type.Object({ id: Type.String({ maxLength: 64 }) });
export const RouterListQuery = listQuery({});
