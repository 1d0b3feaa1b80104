import { type Static, Type } from "typebox";
import { listQuery, ModelsField, NullableString, pageOf, Time } from "./policy-fields.ts";

const CountField = Type.Union([Type.Integer({ minimum: 1, maximum: 1_000_000_000 }), Type.Null()]);

/** What a caller's disconnect does to its call upstream. */
export type OnDisconnect = "cancel" | "drain";

/** Who becomes a device: as the setting BOOTSTRAP. */
export type BootstrapPolicy = "open" | "code" | "approve";

const OnDisconnectField = Type.Union([Type.Literal("cancel"), Type.Literal("drain"), Type.Null()]);

const BootstrapField = Type.Union([
  Type.Literal("open"),
  Type.Literal("code"),
  Type.Literal("approve"),
  Type.Null(),
]);

const PolicyScope = Type.Union([
  Type.Literal("relay"),
  Type.Literal("organization"),
  Type.Literal("user"),
  Type.Literal("device"),
  Type.Literal("app_key"),
  Type.Literal("router"),
]);

/** Whose it is: a device's id, an app key's label, a router's id …; left out (or null) for the relay, and only there. */
export const ScopeIdField = Type.Union([
  Type.String({ minLength: 1, maxLength: 128 }),
  Type.Null(),
]);

const rules = {
  models: Type.Optional(ModelsField),
  requests_per_minute: Type.Optional(CountField),
  input_tokens_per_minute: Type.Optional(CountField),
  output_tokens_per_minute: Type.Optional(CountField),
  concurrency: Type.Optional(CountField),
  requests_per_day: Type.Optional(CountField),
  on_disconnect: Type.Optional(OnDisconnectField),
  bootstrap: Type.Optional(BootstrapField),
};

export const NewPolicyBody = Type.Object(
  { scope: PolicyScope, scope_id: Type.Optional(ScopeIdField), ...rules },
  { additionalProperties: false },
);
export type NewPolicyBody = Static<typeof NewPolicyBody>;

/** What an admin may change; a field left out stays as it is, null takes a rule away. */
export const PolicyChangesBody = Type.Object(rules, {
  additionalProperties: false,
  minProperties: 1,
});
export type PolicyChangesBody = Static<typeof PolicyChangesBody>;

export const Policy = Type.Object({
  id: Type.String(),
  scope: PolicyScope,
  scope_id: NullableString,
  models: ModelsField,
  requests_per_minute: CountField,
  input_tokens_per_minute: CountField,
  output_tokens_per_minute: CountField,
  concurrency: CountField,
  requests_per_day: CountField,
  on_disconnect: OnDisconnectField,
  bootstrap: BootstrapField,
  created_at: Time,
});
export type Policy = Static<typeof Policy>;

export const PolicyPage = pageOf(Policy);

export const PolicyParams = Type.Object({ id: Type.String({ maxLength: 64 }) });
export const PolicyListQuery = listQuery({});
