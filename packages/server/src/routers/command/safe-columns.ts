import { isSecretName } from "../redaction/secret-names.ts";
import { isNumber, isOperator, wordOf } from "./arguments.ts";
import type { Argument, Part } from "./ast.ts";

/** Columns that are no secret in any menu. */
export const safeColumns: ReadonlySet<string> = new Set(
  `name comment disabled running inactive invalid dynamic active type mtu actual-mtu l2mtu mac-address interface
listen-port peer profile service caller-id address addresses remote-address local-address allowed-address allowed-ips
public-key endpoint-address endpoint-port current-endpoint-address current-endpoint-port last-handshake rx tx rx-byte
tx-byte persistent-keepalive status uptime mode ssid configuration.ssid configuration.mode configuration.country
frequency band channel channel.frequency channel.band channel.width channel-width datapath radio-name
master-interface default-name authentication-types authentication country server policy state last-logged-out
last-caller-id last-disconnect-reason routes limit-bytes-in limit-bytes-out vrid priority interval connect-to user
action by time ddns-enabled public-address public-address-ipv6 dns-name next-run run-count start-date start-time
owner common-name fingerprint issuer invalid-before invalid-after expires-after key-type key-size trusted
serial-number slot size free fs model label`.split(/\s/),
);

/** Whether a value is known before the entries are looked at: a calculation may ask for an entry's password. */
const comparesWithText = (value: Part | null): boolean => {
  switch (value?.kind) {
    case undefined:
    case "variable":
      return true;
    case "word":
      return !isSecretName(value.text) && !scriptColumns.has(value.text);
    case "string":
      return value.parts.every(({ kind }) => kind === "variable");
    default:
      return false;
  }
};

const scriptColumns = new Set(["on-event", "source", "script"]);

/** Whether a condition looks at nothing secret. Only plain names are understood; anything nested is not. */
export const asksSafely = (
  condition: Argument,
  index: number,
  all: readonly Argument[],
): boolean => {
  if (condition.name !== null) {
    return safeColumns.has(condition.name) && comparesWithText(condition.value);
  }
  const word = wordOf(condition);
  if (word !== null) {
    return safeColumns.has(word) || isNumber(word) || wordOperators.has(word);
  }
  const before = all[index - 1];
  const compared = before !== undefined && isOperator(before);
  const isText = condition.value?.kind === "string" && comparesWithText(condition.value);
  return isOperator(condition) || (isText && compared);
};

/** Operators that are words. */
export const wordOperators: ReadonlySet<string> = new Set(["and", "or", "in"]);

/** What to give to `proplist=` to see a menu without its secrets. */
export const safeProplist = (path: string): string =>
  proplists.get(path) ?? "name,comment,disabled";

export const proplists: ReadonlyMap<string, string> = new Map([
  [
    "/interface/wifi",
    "name,mac-address,configuration.ssid,configuration.mode,channel.frequency,channel.band,disabled,running",
  ],
  [
    "/interface/wireless",
    "name,mac-address,ssid,mode,band,frequency,channel-width,radio-name,disabled,running",
  ],
  ["/interface/lte", "name,mtu,disabled,running"],
  [
    "/interface/wireguard/peers",
    "name,interface,public-key,allowed-address,current-endpoint-address,last-handshake,rx,tx",
  ],
  ["/interface/wireguard", "name,listen-port,public-key,mtu,disabled,running"],
  ["/interface/pppoe-client", "name,interface,user,disabled,running"],
  ["/ip/cloud", "ddns-enabled,public-address,dns-name,status"],
  ["/ppp/secret", "name,service,profile,local-address,remote-address,last-logged-out,disabled"],
  ["/system/history", "action,by,time"],
  ["/system/scheduler", "name,start-date,start-time,interval,next-run,run-count,owner,disabled"],
  [
    "/certificate",
    "name,common-name,fingerprint,issuer,invalid-before,invalid-after,expires-after,key-type,key-size,trusted",
  ],
  ["/disk", "slot,type,size,free,fs,model,label"],
]);
