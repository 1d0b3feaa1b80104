/**
 * A relay that does as it is told: the wire of docs/routers.md in a few lines, so that a test can have it err, lie
 * or forget, which the real one never does.
 */
import { createHash, createHmac, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import type { TestContext } from "node:test";

type Json = Record<string, unknown>;
type Mac = "hmac-sha512" | "hmac-sha256";
type Session = { id: string; key: Buffer; mac: Mac; last: number };

export type Asked = Readonly<{ path: string; body: Json; sequence: number; mac: Mac }>;

export type Double = {
  readonly url: string;
  /** Requests whose signature held. */
  readonly asked: Asked[];
  /** Bodies of handshakes, in order. */
  readonly handshakes: Json[];
  /** What a signed request is answered with. */
  answer: (asked: Asked) => Json;
  /** The last look at a reply before it leaves; `sealed` is null for handshakes. */
  tamper: (reply: Json, path: string) => Json | string;
  /** Seconds since 1970, as this relay has it. */
  now: () => number;
  /** What it signs with; a relay that does not know the router's secret has another. */
  secret: string;
  /** Forgets every session, as after a restart. */
  forget(): void;
};

const hmac = (algorithm: string, key: string | Buffer, message: string): Buffer =>
  createHmac(algorithm, key).update(message).digest();
const shortName = (mac: Mac): string => mac.replace("hmac-", "");
const hashOf = (mac: Mac, body: string): string =>
  createHash(shortName(mac)).update(body).digest("hex");

/** Starts one on loopback; the test stops it. */
export async function startDouble(t: TestContext, secret: string): Promise<Double> {
  const sessions = new Map<string, Session>();
  const challenges = new Set<string>();
  const server = createServer((request, response) => {
    reply(request).then(
      (answer) => {
        response.setHeader("content-type", "application/json");
        response.end(typeof answer === "string" ? answer : JSON.stringify(answer));
      },
      () => response.writeHead(500).end(),
    );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const double: Double = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: [],
    handshakes: [],
    answer: () => ({ success: true }),
    tamper: (answer) => answer,
    now: () => Math.floor(Date.now() / 1000),
    secret,
    forget: () => sessions.clear(),
  };
  return double;

  async function reply(request: IncomingMessage): Promise<Json | string> {
    const path = request.url ?? "";
    const raw = await text(request);
    return double.tamper(await answerTo(request, path, raw), path);
  }

  async function answerTo(request: IncomingMessage, path: string, raw: string): Promise<Json> {
    if (path === "/health") {
      return { status: "healthy", service: "claude-relay" };
    }
    if (path === "/handshake/challenge") {
      const challenge = `c_${randomBytes(16).toString("hex")}`;
      challenges.add(challenge);
      return { success: true, challenge, expires_in: 60, server_time: double.now() };
    }
    return path === "/handshake" ? shakeHands(JSON.parse(raw) as Json) : signed(request, path, raw);
  }

  function shakeHands(body: Json): Json {
    double.handshakes.push(body);
    const { nonce, router_id, timestamp, challenge } = body;
    const mac = body["mac"] as Mac;
    const identity = Buffer.from(String(body["router_identity"])).toString("hex");
    const message = [
      "claude-relay-handshake-v1",
      router_id,
      identity,
      timestamp ?? challenge,
      nonce,
    ];
    if (timestamp !== undefined && Math.abs(Number(timestamp) - double.now()) > 300) {
      return {
        success: false,
        code: "clock_skew",
        error: "timestamp: off.",
        server_time: double.now(),
      };
    }
    if (hmac("sha256", double.secret, message.join("\n")).toString("hex") !== body["signature"]) {
      return { success: false, code: "signature_invalid", error: "signature: does not fit." };
    }
    if (challenge !== undefined && !challenges.delete(String(challenge))) {
      return { success: false, code: "challenge_invalid", error: "challenge: unknown." };
    }
    const session = `rs_${randomBytes(16).toString("hex")}`;
    const server_nonce = `n_${randomBytes(16).toString("hex")}`;
    const both = `${nonce}\n${server_nonce}`;
    const keyText = `claude-relay-session-v1\n${both}\n${session}\n${mac}`;
    sessions.set(session, {
      id: session,
      key: hmac("sha256", double.secret, keyText),
      mac,
      last: 0,
    });
    const proof = hmac("sha256", double.secret, `claude-relay-server-v1\n${both}`).toString("hex");
    return {
      success: true,
      router_id,
      session,
      server_nonce,
      server_proof: proof,
      mac,
      expires_in: 43_200,
    };
  }

  function signed(request: IncomingMessage, path: string, raw: string): Json {
    const session = sessions.get(String(request.headers["x-relay-session"]));
    if (session === undefined) {
      return { success: false, code: "session_unknown", error: "X-Relay-Session: unknown." };
    }
    const { key, mac } = session;
    const sequence = Number(request.headers["x-relay-seq"]);
    const bodyHash = hashOf(mac, raw);
    const canonical = [
      "claude-relay-request-v1",
      request.method,
      path,
      session.id,
      sequence,
      bodyHash,
    ];
    const expected = hmac(shortName(mac), key, canonical.join("\n")).toString("hex");
    if (expected !== request.headers["x-relay-signature"]) {
      return {
        success: false,
        code: "signature_invalid",
        error: "X-Relay-Signature: does not fit.",
      };
    }
    const seal = (answer: Json): Json => {
      const payload = JSON.stringify(answer);
      const text = `claude-relay-response-v1\n${session.id}\n${sequence}\n${hashOf(mac, payload)}`;
      return {
        success: answer["success"],
        payload,
        mac: hmac(shortName(mac), key, text).toString("hex"),
      };
    };
    if (sequence <= session.last) {
      return {
        success: false,
        code: "sequence_invalid",
        error: "old",
        last_seq: session.last,
      };
    }
    session.last = sequence;
    const asked: Asked = { path, body: raw === "" ? {} : (JSON.parse(raw) as Json), sequence, mac };
    double.asked.push(asked);
    return seal(double.answer(asked));
  }
}
