/** What is pasted into a router's terminal: RouterOS script, plain ASCII. */

/** Where the relay is; `unknown` when that must still be said on the router, `kept` when it stays as it is there. */
type Place =
  | Readonly<{ kind: "known"; url: string }>
  | Readonly<{ kind: "unknown" }>
  | Readonly<{ kind: "kept" }>;

/** What the lines need to say. */
export type RouterFacts = Readonly<{ id: string; secret: string; place: Place }>;

/** Sets who the router is, what it signs with and where the relay is. Id, secret and URL are checked before. */
export const routerLines = ({ id, secret, place }: RouterFacts): readonly string[] => [
  ":global ClaudeRelayEnabled true",
  ...placeLines(place),
  `:global ClaudeRelayRouterId "${id}"`,
  `:global ClaudeRelayHandshakeSecret "${secret}"`,
];

const placeLines = (place: Place): readonly string[] => {
  switch (place.kind) {
    case "known":
      return [`:global ClaudeRelayURL "${place.url}"`];
    case "unknown":
      return [
        '# MISSING: where the relay is. Put in place of this line :global ClaudeRelayURL "http://ADDRESS:8899"',
      ];
    case "kept":
      return [];
  }
};

/** What a person does then; the same as in docs/routers.md and routeros/install.rsc. */
export const nextSteps: readonly string[] = [
  "Put them at the end of the router's script bot-config too, or a reboot forgets them. Then, on the router:",
  "  /system/script/run bot-config",
  "  /system/script/run modules/claude-relay",
  "  :global ClaudeRelayInitCloud",
  "  [$ClaudeRelayInitCloud]",
];
