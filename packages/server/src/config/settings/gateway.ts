import { define, httpUrl, oneOf, wholeNumber } from "../setting.ts";

/** People who sign in from Claude Code: the `gateway` keys of the file. */
export const gatewaySettings = {
  gatewaySignIn: define<"on" | "off">({
    name: "GATEWAY_SIGNIN",
    fileKey: "gateway.sign_in",
    parse: oneOf("on", "off"),
    fallback: "off",
    shown: "off",
    about:
      "`on` lets people sign in from Claude Code's `/login`: see [sign-in](sign-in.md). Off unless told, in development too: a page that takes passwords is not opened by accident.",
    example: "on",
  }),
  passwordSignIn: define<"on" | "off">({
    name: "PASSWORD_SIGNIN",
    fileKey: "gateway.password_sign_in",
    parse: oneOf("on", "off"),
    fallback: "on",
    shown: "on",
    about: "`off` takes no passwords of the relay's own: people sign in at `OIDC_ISSUER` alone.",
  }),
  gatewaySignInDays: define({
    name: "GATEWAY_SIGNIN_DAYS",
    fileKey: "gateway.sign_in_days",
    parse: wholeNumber(1, 365),
    fallback: 30,
    shown: "30",
    about: "Days without use after which a person must sign in again.",
  }),
  otlpRelayUrl: define<string | null>({
    name: "OTLP_RELAY_URL",
    fileKey: "gateway.otlp_relay_url",
    parse: httpUrl,
    fallback: null,
    shown: "none: dropped",
    about:
      "An OTLP/HTTP collector that gets the telemetry of people who signed in, without `/v1/…` at its end. One try each.",
    example: "http://127.0.0.1:4318",
  }),
} as const;
