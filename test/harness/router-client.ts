/** A router as docs/routers.md tells it, in TypeScript: written from the wire, with none of the relay's own code. */
import { createHash, createHmac, randomBytes } from "node:crypto";
import { request as overHttp } from "node:http";
import { request as overHttps } from "node:https";

export type Mac = "hmac-sha256" | "hmac-sha512";
// biome-ignore lint/suspicious/noExplicitAny: a test looks into many shapes
export type Said = any;

/** One exchange as it was on the wire; `json` is the body parsed, when it is JSON. */
export type Wire = Readonly<{ status: number; type: string; text: string; json: Said }>;

type Send = Readonly<{
  method?: string;
  path: string;
  headers?: Readonly<Record<string, string>>;
  body?: string | Buffer;
}>;

/** Headers and bytes of a signed request, to be sent as they are or tampered with. */
export type Signed = Required<Send>;

type Options = Readonly<{
  url: string;
  id?: string;
  identity?: string;
  /** Null: an unsigned handshake, and requests without signatures. */
  secret?: string | null;
  mac?: Mac;
  /** Certificate to trust, PEM. */
  ca?: Buffer;
}>;

const nonceOf = (): string => randomBytes(16).toString("hex");
const lines = (...parts: readonly string[]): string => parts.join("\n");
const hexHmac = (mac: Mac, key: string | Buffer, text: string): string =>
  createHmac(digest(mac), key).update(text).digest("hex");
const digest = (mac: Mac): string => (mac === "hmac-sha512" ? "sha512" : "sha256");
const hexHash = (mac: Mac, bytes: string | Buffer): string =>
  createHash(digest(mac)).update(bytes).digest("hex");

export class RouterClient {
  readonly #options: Required<Omit<Options, "ca">> & Pick<Options, "ca">;
  readonly url: string;
  session = "";
  sequence = 0;
  #key = Buffer.alloc(0);

  constructor({ id = "office", identity = "Büro-Router", ...rest }: Options) {
    this.#options = { id, identity, secret: null, mac: "hmac-sha512", ...rest };
    this.url = rest.url;
  }

  /** The body of a good handshake; `changes` replace fields after it was signed. */
  handshakeBody(changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
    const { id, identity, secret, mac } = this.#options;
    const body = {
      v: 1,
      router_identity: identity,
      router_id: id,
      timestamp: Math.floor(Date.now() / 1000),
      nonce: nonceOf(),
      mac,
      ...changes,
    };
    const message = lines(
      "claude-relay-handshake-v1",
      String(body.router_id),
      Buffer.from(String(body.router_identity)).toString("hex"),
      String("challenge" in body ? body.challenge : body.timestamp),
      String(body.nonce),
    );
    return secret === null
      ? body
      : { ...body, signature: hexHmac("hmac-sha256", secret, message), ...changes };
  }

  /** Makes a handshake, and checks that the relay knows the secret too. Gives what it answered. */
  async handshake(body: Readonly<Record<string, unknown>> = this.handshakeBody()): Promise<Said> {
    const { json } = await this.send({
      method: "POST",
      path: "/handshake",
      body: JSON.stringify(body),
    });
    if (json.success === true && typeof json.session === "string") {
      this.#begin(json, String(body["nonce"]));
    }
    return json;
  }

  #begin(answer: Said, nonce: string): void {
    const { secret, mac } = this.#options;
    this.session = answer.session;
    this.sequence = 0;
    if (secret === null) {
      return;
    }
    const proof = lines("claude-relay-server-v1", nonce, answer.server_nonce);
    if (answer.server_proof !== hexHmac("hmac-sha256", secret, proof)) {
      throw new Error("the relay did not prove that it knows the secret");
    }
    const session = lines(
      "claude-relay-session-v1",
      nonce,
      answer.server_nonce,
      answer.session,
      mac,
    );
    this.#key = createHmac("sha256", secret).update(session).digest();
  }

  /** The next request, signed and not sent. */
  sign(method: string, path: string, body = "", sequence = ++this.sequence): Signed {
    const { secret, mac } = this.#options;
    const canonical = lines(
      "claude-relay-request-v1",
      method,
      path,
      this.session,
      String(sequence),
      hexHash(mac, body),
    );
    const headers = {
      "x-relay-session": this.session,
      "x-relay-seq": String(sequence),
      ...(secret !== null && { "x-relay-signature": hexHmac(mac, this.#key, canonical) }),
    };
    return { method, path, headers, body };
  }

  /** What a reply says, once its seal was found good. Throws when there is none, or a wrong one. */
  unseal(json: Said, sequence = this.sequence): Said {
    const { secret, mac } = this.#options;
    if (secret === null) {
      return json;
    }
    const text = lines(
      "claude-relay-response-v1",
      this.session,
      String(sequence),
      hexHash(mac, String(json.payload)),
    );
    if (json.mac !== hexHmac(mac, this.#key, text)) {
      throw new Error(`the reply is not sealed: ${JSON.stringify(json)}`);
    }
    return JSON.parse(json.payload);
  }

  async post(path: string, body: object): Promise<Said> {
    return this.unseal((await this.send(this.sign("POST", path, JSON.stringify(body)))).json);
  }

  async get(path: string): Promise<Said> {
    return this.unseal((await this.send(this.sign("GET", path))).json);
  }

  ask(command: string, more: object = {}): Promise<Said> {
    return this.post("/process-command", { command, ...more });
  }

  confirm(confirm: string, more: object = {}): Promise<Said> {
    return this.post("/process-command", { confirm, ...more });
  }

  /** Sends as it stands, on a connection of its own. */
  send({ method = "GET", path, headers = {}, body = "" }: Send): Promise<Wire> {
    const { url, ca } = this.#options;
    const target = new URL(url);
    const options = {
      method,
      path,
      agent: false as const,
      host: target.hostname,
      port: target.port,
      headers: {
        ...(method !== "GET" && { "content-length": String(Buffer.byteLength(body)) }),
        ...headers,
      },
      ...(ca !== undefined && { ca, servername: "localhost" }),
    };
    return new Promise((resolve, reject) => {
      const outgoing = (target.protocol === "https:" ? overHttps : overHttp)(options);
      outgoing.on("error", reject);
      outgoing.on("response", (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => {
          const text = Buffer.concat(chunks).toString();
          resolve({
            status: response.statusCode ?? 0,
            type: response.headers["content-type"] ?? "",
            text,
            json: parsed(text),
          });
        });
      });
      outgoing.end(body);
    });
  }
}

const parsed = (text: string): Said => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
