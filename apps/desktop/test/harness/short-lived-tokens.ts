/** A relay's front door behind which tokens are said to live for seconds: nobody waits an hour in a test. */
import { createServer, request } from "node:http";
import { type Listening, listenHere } from "../../../../test/harness/loopback.ts";

export type ShortLivedTokens = Listening &
  Readonly<{
    /** Paths asked for so far that give tokens. */
    asked: readonly string[];
  }>;

export const shortLivedTokens = async (
  relayUrl: string,
  seconds: number,
): Promise<ShortLivedTokens> => {
  const asked: string[] = [];
  const server = createServer((incoming, outgoing) => {
    const { method, headers, url = "" } = incoming;
    const onward = request(`${relayUrl}${url}`, { method, headers });
    incoming.pipe(onward);
    outgoing.on("close", () => onward.destroy());
    onward.on("error", () => outgoing.destroy());
    onward.on("response", async (answer) => {
      const { statusCode = 500 } = answer;
      if (statusCode !== 200 || !["/bootstrap", "/refresh"].includes(url)) {
        outgoing.writeHead(statusCode, answer.headers);
        answer.pipe(outgoing);
        return;
      }
      asked.push(url);
      const body = JSON.parse((await answer.toArray()).join(""));
      body.expires_at = new Date(Date.now() + seconds * 1000).toISOString();
      const { "content-length": _, ...rest } = answer.headers;
      outgoing.writeHead(statusCode, rest);
      outgoing.end(JSON.stringify(body));
    });
  });
  return { ...(await listenHere(server)), asked };
};
