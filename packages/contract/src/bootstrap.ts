import { type Static, Type } from "typebox";

export const DeviceIdField = Type.String({
  pattern: "^[\\x20-\\x7e]{8,128}$",
  description: "8–128 printable ASCII characters: how the device names itself",
});

export const BootstrapRequest = Type.Object(
  {
    device_id: DeviceIdField,
    app_version: Type.Optional(Type.String({ maxLength: 64 })),
    enrollment_code: Type.Optional(Type.String({ maxLength: 128 })),
    device_public_key: Type.Optional(Type.String({ maxLength: 512 })),
  },
  { description: "Unknown fields are ignored" },
);
export type BootstrapRequest = Static<typeof BootstrapRequest>;

export const WrapperToken = Type.Object({
  wrapper_token: Type.String({ description: "Credential for /v1/*; a JWT, opaque to callers" }),
  proxy_base_url: Type.String({ description: "Where to send requests" }),
  expires_at: Type.String({ format: "date-time" }),
});
export type WrapperToken = Static<typeof WrapperToken>;

export const BootstrapPending = Type.Object({
  status: Type.Literal("pending"),
  device_id: Type.String(),
  message: Type.String(),
});
export type BootstrapPending = Static<typeof BootstrapPending>;
