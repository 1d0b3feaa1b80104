/** One menu of the router as the interpreter knows it. */
export type MenuTable = Readonly<{
  path: string;
  /** Settable properties; `{"}`: the value may be written as a block. */
  properties: readonly string[];
  /** Properties a script can read but not set. */
  readOnly?: readonly string[];
  /** One row without a name, as `/system identity`. */
  single?: boolean;
  /** Rows cannot be added, set or removed by a script. */
  fixed?: boolean;
}>;

/** Menus with rows. What is not here is a syntax error: extend it when a script needs more. */
export const menuTables: readonly MenuTable[] = [
  {
    path: "/system script",
    properties: ["name", 'source{"}', "policy", "owner", "comment", "dont-require-permissions"],
    readOnly: ["run-count", "last-started", "invalid"],
  },
  {
    path: "/system scheduler",
    properties: [
      "name",
      'on-event{"}',
      "interval",
      "start-date",
      "start-time",
      "policy",
      "comment",
      "disabled",
    ],
    readOnly: ["run-count", "next-run", "owner"],
  },
  { path: "/system identity", properties: ["name"], single: true },
  {
    path: "/system routerboard",
    properties: [],
    readOnly: [
      "routerboard",
      "board-name",
      "model",
      "serial-number",
      "firmware-type",
      "current-firmware",
      "upgrade-firmware",
    ],
    single: true,
  },
  {
    path: "/system license",
    properties: [],
    readOnly: ["system-id", "software-id", "level", "nlevel", "features"],
    single: true,
  },
  {
    path: "/system device-mode",
    properties: [],
    readOnly: ["mode", "fetch", "scheduler", "email", "ipsec", "container", "flagged"],
    single: true,
  },
  {
    path: "/system resource",
    properties: [],
    readOnly: [
      "version",
      "board-name",
      "architecture-name",
      "platform",
      "uptime",
      "free-memory",
      "total-memory",
      "cpu-load",
    ],
    single: true,
  },
  {
    path: "/system clock",
    properties: ["date", "time", "time-zone-name"],
    readOnly: ["gmt-offset"],
    single: true,
  },
  {
    path: "/system ntp client",
    properties: ["enabled", "servers"],
    readOnly: ["status", "synced-server"],
    single: true,
  },
  {
    path: "/system package",
    properties: ["disabled"],
    readOnly: ["name", "version", "build-time", "size", "available"],
    fixed: true,
  },
  { path: "/system script environment", properties: [], readOnly: ["name", "user", "value"] },
  { path: "/system script job", properties: [], readOnly: ["script", "owner", "started", "type"] },
  {
    path: "/ip cloud",
    properties: ["ddns-enabled", "ddns-update-interval", "update-time"],
    readOnly: ["public-address", "public-address-ipv6", "dns-name", "status", "warning"],
    single: true,
  },
  {
    path: "/ip address",
    properties: ["address", "interface", "network", "comment", "disabled"],
    readOnly: ["actual-interface", "dynamic", "invalid"],
  },
  {
    path: "/ip firewall filter",
    properties: [
      "chain",
      "action",
      "protocol",
      "dst-port",
      "src-address",
      "dst-address",
      "src-address-list",
      "in-interface",
      "in-interface-list",
      "place-before",
      "comment",
      "disabled",
    ],
  },
  {
    path: "/certificate",
    properties: ["name", "trusted"],
    readOnly: ["common-name", "fingerprint", "expired", "invalid-after", "issuer", "private-key"],
  },
  {
    path: "/file",
    properties: ["name", "contents", "type"],
    readOnly: ["size", "last-modified", "creation-time"],
  },
  {
    path: "/log",
    properties: [],
    readOnly: ["time", "topics", "message"],
    fixed: true,
  },
];
