/**
 * Two simulators in the same state: one asked straight, one through a relay. Fed the same calls they give
 * the same answers but for their ids, so that whatever else differs is the relay's doing.
 */
import {
  createSimulator,
  type Simulator,
} from "../../packages/server/src/upstreams/simulator/server.ts";
import { type Setting, startSetting } from "./anthropic.ts";
import { type Answer, type Call, send, withToken } from "./http.ts";
import { masterKey } from "./secrets.ts";

export type Twins = Readonly<{
  setting: Setting;
  straight: Simulator;
  straightUrl: string;
  /** The same call both ways, comparable: ids blanked, headers without `mayDiffer`. */
  both(call: Call & { scenario?: string }): Promise<{ straight: Answer; relayed: Answer }>;
  stop(): Promise<void>;
}>;

/** All that may differ between an answer of upstream's and what the relay makes of it. */
const mayDiffer = [
  // Each hop's own.
  "connection",
  "keep-alive",
  "transfer-encoding",
  // The time of day.
  "date",
];

const added = ["x-relay-upstream", "x-relay-request-id"];

export const startTwins = async (): Promise<Twins> => {
  const now = Date.now();
  const options = { record: true, acceptKeys: [masterKey], now: () => now };
  const setting = await startSetting({ simulator: options });
  const straight = createSimulator(options);
  const straightUrl = await straight.listen();
  return {
    setting,
    straight,
    straightUrl,
    both: async ({ scenario, ...call }) => {
      const headers = (credential: string) => ({
        ...withToken(credential, scenario),
        ...call.headers,
      });
      const direct = await send(straightUrl, { ...call, headers: headers(masterKey) });
      const relayed = await send(setting.relay.url, { ...call, headers: headers(setting.token) });
      return { straight: comparable(direct), relayed: comparable(relayed) };
    },
    stop: async () => {
      await straight.close();
      await setting.stop();
    },
  };
};

/** `req_01` and such, twelve random digits, a count: blanked without changing the length. */
const withoutRandomness = (text: string): string =>
  text.replace(/\b([a-z]+_01)[0-9a-f]{12}[0-9a-z]{10}\b/g, `$1${"x".repeat(22)}`);

const comparable = ({ body, headers, ...rest }: Answer): Answer => ({
  ...rest,
  headers: Object.fromEntries(
    Object.entries(headers)
      .filter(([name]) => !mayDiffer.includes(name))
      .map(([name, value]) => [name, withoutRandomness(value)]),
  ),
  body: Buffer.from(withoutRandomness(body.toString("latin1")), "latin1"),
});

/** The relay's own two headers are there; gives the answer without them. */
export const withoutRelayHeaders = (answer: Answer): Answer => {
  const headers = Object.entries(answer.headers);
  const missing = added.filter((name) => !(name in answer.headers));
  if (missing.length > 0) {
    throw new Error(`the relay left out ${missing.join(" and ")}`);
  }
  return {
    ...answer,
    headers: Object.fromEntries(headers.filter(([name]) => !added.includes(name))),
  };
};
