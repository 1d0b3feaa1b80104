import { type Static, Type } from "typebox";
import { NullableString, Time } from "./policy-fields.ts";

export const PasswordBody = Type.Object(
  { password: Type.String({ maxLength: 4096, description: "12 to 1024 characters" }) },
  { additionalProperties: false },
);
export type PasswordBody = Static<typeof PasswordBody>;

export const PasswordSet = Type.Object({ user_id: Type.String(), changed_at: Time });
export type PasswordSet = Static<typeof PasswordSet>;

/** An account at an OpenID provider that a user signs in with. */
export const SignInLinkRow = Type.Object({
  issuer: Type.String(),
  subject: Type.String({ description: "the provider's own name for the account: `sub`" }),
  linked_at: Time,
});

export const SignInLinkList = Type.Object({ data: Type.Array(SignInLinkRow) });

const ManagedScopeField = Type.Union([
  Type.Literal("relay"),
  Type.Literal("organization"),
  Type.Literal("user"),
]);

const ScopeIdField = Type.String({
  minLength: 1,
  maxLength: 128,
  description: "the organization's or user's id; left out for the relay",
});

const SettingsField = Type.Record(Type.String(), Type.Unknown(), {
  description: "Claude Code's settings, as in settings.json; at most 64 KiB",
});

export const Removed = Type.Object({ removed: Type.Literal(true) });

/** Where managed settings are set. */
export const ManagedSettingsQuery = Type.Object({
  scope: ManagedScopeField,
  scope_id: Type.Optional(ScopeIdField),
});

export const ManagedSettingsBody = Type.Object(
  {
    scope: ManagedScopeField,
    scope_id: Type.Optional(ScopeIdField),
    settings: SettingsField,
  },
  { additionalProperties: false },
);

export const ManagedSettingsRow = Type.Object({
  scope: ManagedScopeField,
  scope_id: NullableString,
  uuid: Type.String(),
  checksum: Type.String(),
  settings: SettingsField,
  updated_at: Time,
});
export type ManagedSettingsRow = Static<typeof ManagedSettingsRow>;

export const ManagedSettingsList = Type.Object({ data: Type.Array(ManagedSettingsRow) });
