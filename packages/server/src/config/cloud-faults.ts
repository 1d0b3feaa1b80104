/** The listener for routers: what its settings, taken together, must not be, and what is worth a word. */
import { BlockList, isIPv6 } from "node:net";
import { isLoopbackHost } from "../pipeline/loopback.ts";
import { Fault, isPlaceholder } from "./setting.ts";
import type { Values } from "./settings.ts";
import { readTlsFiles } from "./tls-files.ts";

/** Each fault names its setting and the remedy. Nothing is judged of a listener that is not opened. */
export const cloudFaults = (values: Values): string[] =>
  values.cloudEnabled
    ? [
        ...placeFaults(values),
        ...secretFaults(values),
        ...tlsFaults(values.cloudTlsCert, values.cloudTlsKey),
      ]
    : [];

/** What may be meant, and is worth a word at the start. */
export const cloudWarnings = (values: Values): string[] => {
  const { cloudEnabled, cloudHost, handshakeSecret, cloudTlsCert, legacyHandshake } = values;
  if (!cloudEnabled) {
    return [];
  }
  const isHere = isLoopbackHost(cloudHost);
  return [
    handshakeSecret !== null &&
      weakness(handshakeSecret) !== null &&
      "CLAUDE_RELAY_HANDSHAKE_SECRET is weak, which is let pass on loopback only: make one with: openssl rand -base64 32",
    !isHere &&
      cloudTlsCert === null &&
      "The routers' listener speaks plain HTTP: what routers ask can be read on the way. Set CLOUD_TLS_CERT and CLOUD_TLS_KEY, or keep it inside a VPN",
    reachOf(cloudHost) === "public" &&
      "The routers' listener may be reachable from the Internet: let only your routers' addresses through the firewall",
    legacyHandshake &&
      "CLAUDE_RELAY_LEGACY_HANDSHAKE is on: handshakes in the old form are answered, and open no session",
  ].filter((warning) => warning !== false);
};

type Reach = "here" | "private" | "public";

/** Who can reach a listener on this address, as far as the address tells. */
const reachOf = (host: string): Reach => {
  if (isLoopbackHost(host)) {
    return "here";
  }
  return privateRanges.check(host, isIPv6(host) ? "ipv6" : "ipv4") ? "private" : "public";
};

/** RFC 1918, RFC 6598 (carriers, and VPNs such as Tailscale), link-local; RFC 4193 and fe80::/10. */
const privateRanges = new BlockList();
privateRanges.addSubnet("10.0.0.0", 8, "ipv4");
privateRanges.addSubnet("172.16.0.0", 12, "ipv4");
privateRanges.addSubnet("192.168.0.0", 16, "ipv4");
privateRanges.addSubnet("100.64.0.0", 10, "ipv4");
privateRanges.addSubnet("169.254.0.0", 16, "ipv4");
privateRanges.addSubnet("fc00::", 7, "ipv6");
privateRanges.addSubnet("fe80::", 10, "ipv6");

const placeFaults = ({ cloudHost, cloudPublic, cloudPort, port }: Values): string[] =>
  [
    reachOf(cloudHost) === "public" &&
      !cloudPublic &&
      `CLAUDE_RELAY_CLOUD_HOST ${cloudHost} can be reached from other networks: name this machine's address on the LAN or VPN, or set CLAUDE_RELAY_CLOUD_PUBLIC=true and restrict the port in the firewall.`,
    cloudPort !== 0 &&
      cloudPort === port &&
      `CLAUDE_RELAY_CLOUD_PORT ${cloudPort} is PORT: routers have a listener of their own, so set another.`,
  ].filter((fault) => fault !== false);

const secretFaults = (values: Values): string[] => {
  const { cloudHost, handshakeSecret, jwtSecret, adminToken } = values;
  if (handshakeSecret === null) {
    return [];
  }
  const weak = reachOf(cloudHost) === "here" ? null : weakness(handshakeSecret);
  return [
    weak !== null &&
      `CLAUDE_RELAY_HANDSHAKE_SECRET ${weak}: with CLAUDE_RELAY_CLOUD_HOST ${cloudHost} others can try to guess it. Make one with: openssl rand -base64 32.`,
    (handshakeSecret === jwtSecret || handshakeSecret === adminToken) &&
      "CLAUDE_RELAY_HANDSHAKE_SECRET is the same as JWT_SECRET or ADMIN_TOKEN, which no router may hold: make one of its own with: openssl rand -base64 32.",
  ].filter((fault) => fault !== false);
};

const fewestBytes = 16;
/** A random secret of 16 bytes, written in hex, has 14 or so. */
const fewestDistinct = 8;

/** Why a secret could be guessed; null when it is good. */
const weakness = (value: string): string | null => {
  if (isPlaceholder(value)) {
    return "is the example of the documentation";
  }
  if (Buffer.byteLength(value) < fewestBytes) {
    return `is shorter than ${fewestBytes} bytes`;
  }
  if (new Set(value).size < fewestDistinct) {
    return `has fewer than ${fewestDistinct} different characters`;
  }
  return isGuessable(value) ? "is made of words or of characters in a row" : null;
};

/** Made of what people think of: words, years, characters one after the other; no random text is. */
const isGuessable = (value: string): boolean => {
  const pairs = [...value].slice(1).map((character, index) => {
    const step = character.charCodeAt(0) - value.charCodeAt(index);
    return Math.abs(step) <= 1;
  });
  const inARow = pairs.filter((isStep) => isStep).length;
  return (
    inARow >= pairs.length / 2 ||
    /^(?:[A-Za-z]?[a-z]+|\d{1,4})(?:[-_. ](?:[A-Za-z]?[a-z]+|\d{1,4})){1,5}$/.test(value)
  );
};

const tlsFaults = (cert: string | null, key: string | null): string[] => {
  if (cert === null && key === null) {
    return [];
  }
  if (cert === null || key === null) {
    return [
      `${cert === null ? "CLOUD_TLS_CERT" : "CLOUD_TLS_KEY"} is missing: HTTPS needs CLOUD_TLS_CERT and CLOUD_TLS_KEY both, or neither for plain HTTP.`,
    ];
  }
  try {
    readTlsFiles(cert, key);
    return [];
  } catch (error) {
    if (error instanceof Fault) {
      return [`${error.message}.`];
    }
    throw error;
  }
};
