import { isIP } from "node:net";
import { resolveModel } from "../../pipeline/model-alias.ts";
import { isModelId } from "../../pipeline/model-pattern.ts";
import {
  define,
  Fault,
  isShellExpression,
  shellFault,
  text,
  wholeNumber,
  yesOrNo,
} from "../setting.ts";

/** An address, not a name: where a name leads, and so who can reach it, may change after the start. */
const address = (value: string): string => {
  // An IPv4 address in IPv6's clothes is that IPv4 address.
  const bare = value.replace(/^\[(.*)\]$/, "$1").replace(/^::ffff:(?=\d+(\.\d+){3}$)/i, "");
  if (bare !== "localhost" && isIP(bare) === 0) {
    throw new Fault(`must be an IP address of this machine, or localhost, not "${value}"`);
  }
  return bare;
};

/** Empty is none. How strong it must be depends on who can reach the listener: config/cloud-faults.ts. */
const sharedSecret = (value: string): string | null => {
  if (value === "") {
    return null;
  }
  if (isShellExpression(value)) {
    throw shellFault();
  }
  const bytes = Buffer.byteLength(value);
  if (bytes < 8 || bytes > 512) {
    throw new Fault("must be 8 to 512 bytes long; make one with: openssl rand -base64 32");
  }
  return value;
};

const model = (value: string): string => {
  if (!isModelId(resolveModel(value))) {
    throw new Fault("must be opus, sonnet, haiku or a full model id");
  }
  return value;
};

/**
 * The listener for MikroTik routers. Its file keys are those that routers' own guide names: `service` for the
 * listener, `security` for what it trusts.
 */
export const routerSettings = {
  cloudEnabled: define({
    name: "CLAUDE_RELAY_ENABLE_CLOUD",
    fileKey: "service.cloud_enabled",
    parse: yesOrNo,
    fallback: false,
    shown: "false",
    about:
      "`true` opens a second listener, for MikroTik routers and nothing else: see [routers](routers.md).",
  }),
  cloudPort: define({
    name: "CLAUDE_RELAY_CLOUD_PORT",
    fileKey: "service.cloud_port",
    parse: wholeNumber(0, 65_535),
    fallback: 8899,
    shown: "8899",
    about: "Port of that listener; 0 takes a free one.",
  }),
  cloudHost: define({
    name: "CLAUDE_RELAY_CLOUD_HOST",
    fileKey: "service.cloud_host",
    parse: address,
    fallback: "127.0.0.1",
    shown: "127.0.0.1",
    about:
      "Address of that listener: this machine's on the LAN or VPN that the routers are in. 0.0.0.0, :: and public addresses need `CLAUDE_RELAY_CLOUD_PUBLIC=true` as well.",
  }),
  cloudPublic: define({
    name: "CLAUDE_RELAY_CLOUD_PUBLIC",
    fileKey: "service.cloud_public",
    parse: yesOrNo,
    fallback: false,
    shown: "false",
    about:
      "`true` says that the listener may be reachable from the Internet. Restrict it in the firewall to your routers' addresses.",
  }),
  handshakeSecret: define<string | null>({
    name: "CLAUDE_RELAY_HANDSHAKE_SECRET",
    fileKey: "security.handshake_secret",
    parse: sharedSecret,
    fallback: null,
    shown: "none",
    about:
      "One secret for all routers that have none of their own (`claude-relay router add`). At least 16 bytes where others can reach the listener, 8 on loopback: `openssl rand -base64 32`. Without one, routers unknown here are let in on loopback alone, and not in production.",
    example: "paste the output of: openssl rand -base64 32",
  }),
  cloudTlsCert: define<string | null>({
    name: "CLOUD_TLS_CERT",
    fileKey: "service.cloud_tls_cert",
    parse: text,
    fallback: null,
    shown: "none: plain HTTP",
    about:
      "Certificate chain (PEM file) with which the listener speaks HTTPS; read again when the file changes.",
    example: "/etc/claude-relay/fullchain.pem",
  }),
  cloudTlsKey: define<string | null>({
    name: "CLOUD_TLS_KEY",
    fileKey: "service.cloud_tls_key",
    parse: text,
    fallback: null,
    shown: "none",
    about: "The key of that certificate (PEM file).",
    example: "/etc/claude-relay/privkey.pem",
  }),
  legacyHandshake: define({
    name: "CLAUDE_RELAY_LEGACY_HANDSHAKE",
    fileKey: "security.legacy_handshake",
    parse: yesOrNo,
    fallback: false,
    shown: "false",
    about:
      "`true` also answers handshakes signed in the old form, `identity:id:timestamp`; they open no session.",
  }),
  routerRunReads: define({
    name: "CLAUDE_RELAY_ROUTER_RUN_READS",
    fileKey: "service.router_run_reads",
    parse: yesOrNo,
    fallback: false,
    shown: "false",
    about:
      "`true` lets a router run commands that only read without asking its user. Whatever writes always needs a confirmation code.",
  }),
  routerModel: define<string | null>({
    name: "CLAUDE_RELAY_ROUTER_MODEL",
    fileKey: "service.router_model",
    parse: model,
    fallback: null,
    shown: "`DEFAULT_MODEL`",
    about: "The model that answers routers: an alias or a full id.",
    example: "sonnet",
  }),
  routerRequestsPerMinute: define({
    name: "CLAUDE_RELAY_ROUTER_RPM",
    fileKey: "service.router_rpm",
    parse: wholeNumber(1, 1_000_000_000),
    fallback: 30,
    shown: "30",
    about: "Requests a minute of a router that has no limit of its own.",
  }),
} as const;
