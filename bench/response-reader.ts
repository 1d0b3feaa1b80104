/** Finds where an HTTP/1.1 response ends, doing as little as possible: the client must be cheap. */

const HEAD_END = Buffer.from("\r\n\r\n");
const LAST_CHUNK = Buffer.from("0\r\n\r\n");

export class ResponseReader {
  /** The status of the response being read; 0 until its head is whole. */
  status = 0;
  /** The first bytes of the body of an answer that is not 200, for the error message. */
  complaint = "";
  #head: Buffer | null = null;
  /** Body bytes still to come, or null for a chunked body. */
  #left: number | null = 0;
  #tail: Buffer = Buffer.alloc(0);

  /** Takes what arrived; true when the response is whole. */
  feed(data: Buffer): boolean {
    return this.status === 0 ? this.#readHead(data) : this.#readBody(data);
  }

  /** Makes ready for the next response on the same connection. */
  reset(): void {
    this.status = 0;
    this.complaint = "";
    this.#head = null;
    this.#tail = Buffer.alloc(0);
  }

  #readHead(arrived: Buffer): boolean {
    const data = this.#head ? Buffer.concat([this.#head, arrived]) : arrived;
    const end = data.indexOf(HEAD_END);
    if (end < 0) {
      this.#head = data;
      return false;
    }
    const head = data.toString("latin1", 0, end);
    this.status = Number(head.slice(9, 12));
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    if (length === undefined && !/\r\ntransfer-encoding: *chunked/i.test(head)) {
      throw new Error("the response has neither a length nor chunks");
    }
    this.#left = length === undefined ? null : Number(length);
    return this.#readBody(data.subarray(end + HEAD_END.length));
  }

  #readBody(data: Buffer): boolean {
    if (this.status !== 200) {
      this.complaint = (this.complaint + data.toString()).slice(0, 300);
    }
    if (this.#left !== null) {
      this.#left -= data.length;
      return this.#left <= 0;
    }
    // Our answers hold no CR LF of their own, so these five bytes can only be the last chunk.
    const end = data.length < LAST_CHUNK.length ? Buffer.concat([this.#tail, data]) : data;
    this.#tail = end.subarray(-LAST_CHUNK.length);
    return this.#tail.equals(LAST_CHUNK);
  }
}
