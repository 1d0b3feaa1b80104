import type { AllowsModel } from "./admit.ts";
import type { CallerReply } from "./types.ts";

/**
 * Upstream's model list with the models that are denied here left out, so that clients offer only what
 * works. The one answer that is not passed byte for byte; used only for callers under a list.
 * Upstream's paging ids stay: they say where its next page begins.
 */
export class ModelListReply implements CallerReply {
  readonly #reply: CallerReply;
  readonly #allows: AllowsModel;
  #status = 0;
  #headers: string[] = [];
  readonly #chunks: Buffer[] = [];

  constructor(reply: CallerReply, allows: AllowsModel) {
    this.#reply = reply;
    this.#allows = allows;
  }

  get left(): boolean {
    return this.#reply.left;
  }

  start(status: number, headers: string[]): void {
    this.#status = status;
    this.#headers = headers;
  }

  write(chunk: Buffer): boolean {
    this.#chunks.push(chunk);
    return true;
  }

  end(lastChunk: Buffer | null): void {
    const body = Buffer.concat(lastChunk === null ? this.#chunks : [...this.#chunks, lastChunk]);
    const filtered = this.#status === 200 ? withoutDenied(body, this.#allows) : body;
    this.#reply.start(this.#status, withLength(this.#headers, filtered.length));
    this.#reply.end(filtered);
  }

  breakOff(): void {
    this.#reply.breakOff(null);
  }

  onDrain(listener: () => void): void {
    this.#reply.onDrain(listener);
  }

  onLeave(listener: () => void): void {
    this.#reply.onLeave(listener);
  }
}

const withoutDenied = (body: Buffer, allows: AllowsModel): Buffer => {
  try {
    const page = JSON.parse(body.toString()) as { data: { id: string }[] };
    const data = page.data.filter(({ id }) => allows(id));
    return Buffer.from(JSON.stringify({ ...page, data }));
  } catch {
    // Not the list we know: a caller under a list is shown nothing rather than everything.
    return Buffer.from('{"data":[],"has_more":false,"first_id":null,"last_id":null}');
  }
};

const withLength = (headers: readonly string[], length: number): string[] => {
  const kept: string[] = ["content-length", String(length)];
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index] ?? "";
    if (name !== "content-length") {
      kept.push(name, headers[index + 1] ?? "");
    }
  }
  return kept;
};
