/** Settings that were given and count for nothing: a slip of the pen, or the switch they hang on is off. */

import { routerSettings } from "./settings/routers.ts";
import { type SettingName, settings } from "./settings.ts";
import type { Sources } from "./sources.ts";

const ours = Object.values(settings);

/** What others read, docs/configuration.md: the command line, the clients, Claude Code. */
const others: readonly string[] = [
  "CLAUDE_RELAY_CONFIG",
  "CLAUDE_RELAY_URL",
  "CLAUDE_RELAY_KEY",
  "CLAUDE_RELAY_CALLED_FROM",
  "CLAUDE_CODE_OAUTH_TOKEN",
  "CLAUDE_CONFIG_DIR",
];

const names: ReadonlySet<string> = new Set([...ours.map(({ name }) => name), ...others]);
const fileKeys: ReadonlySet<string> = new Set(ours.map(({ fileKey }) => fileKey));

/**
 * `config.env` is the relay's own file and `CLAUDE_RELAY_` its own beginning: what they name and nobody knows is a
 * slip. So is a key of the JSON file; one that begins with `_`, `$` or `//` is a comment. Values are never told.
 */
export const strangersIn = ({ environment, configEnv = [], file }: Sources): string[] => {
  const beginning = Object.keys(environment).filter(
    (name) => name.startsWith("CLAUDE_RELAY_") && !isOfKubernetes(name, environment[name]),
  );
  const unknown = [...new Set([...configEnv, ...beginning])].filter((name) => !names.has(name));
  const keys = [...file.keys()].filter((key) => !fileKeys.has(key) && !isComment(key));
  return [
    ...unknown.map(
      (name) =>
        `${configEnv.includes(name) ? "config.env: " : ""}${name} is no setting of this relay: ${remedy(name, names)}`,
    ),
    ...keys.map(
      (key) =>
        `The configuration file: ${key} is no setting of this relay: ${remedy(key, fileKeys)}`,
    ),
  ];
};

/** For a service that is called claude-relay, every pod gets variables that begin so. */
const isOfKubernetes = (name: string, value = ""): boolean =>
  /^CLAUDE_RELAY_(SERVICE_(HOST|PORT)|PORT_\d+_(TCP|UDP|SCTP))/.test(name) ||
  (name === "CLAUDE_RELAY_PORT" && value.includes("://"));

const isComment = (key: string): boolean => /(^|\.)(_|\$|\/\/)/.test(key);

const remedy = (given: string, known: ReadonlySet<string>): string => {
  const meant = nearest(given, known);
  return meant === null ? "see docs/configuration.md" : `did you mean ${meant}?`;
};

/** More differences than this are another word. */
const mostSlips = 3;

const nearest = (given: string, known: ReadonlySet<string>): string | null => {
  const [best] = [...known]
    .map((name) => ({ name, slips: distance(plain(given), plain(name)) }))
    .filter(({ slips }) => slips <= mostSlips)
    .sort((one, other) => one.slips - other.slips);
  return best?.name ?? null;
};

/** Where words are parted is the commonest slip. */
const plain = (name: string): string => name.replaceAll(/[_.-]/g, "").toLowerCase();

/** How many letters must be put in, taken out or changed to make one of the other (Levenshtein). */
const distance = (one: string, other: string): number => {
  let row = Array.from({ length: other.length + 1 }, (_, column) => column);
  for (const [line, letter] of [...one].entries()) {
    const next = [line + 1];
    for (const [column, otherLetter] of [...other].entries()) {
      const changed = (row[column] ?? 0) + (letter === otherLetter ? 0 : 1);
      next.push(Math.min(changed, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1));
    }
    row = next;
  }
  return row[other.length] ?? 0;
};

/** Told only when nobody said `false`: whoever did knows that they rest. */
export const idleRouterSettings = ({ environment, file }: Sources): string[] => {
  const isGiven = (setting: SettingName): boolean => {
    const { name, fileKey } = settings[setting];
    return (environment[name]?.trim() || file.get(fileKey) || "") !== "";
  };
  if (isGiven("cloudEnabled")) {
    return [];
  }
  const idle = (Object.keys(routerSettings) as (keyof typeof routerSettings)[]).filter(isGiven);
  return idle.length === 0
    ? []
    : [
        `${idle.map((setting) => settings[setting].name).join(", ")}: without CLAUDE_RELAY_ENABLE_CLOUD=true no routers are served`,
      ];
};
