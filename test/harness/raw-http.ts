/** Bytes on a socket, for what no HTTP client would send. */
import { connect } from "node:net";

export type RawAnswer = Readonly<{
  /** Everything the server sent. */
  text: string;
  /** Status codes of the answers in it, in order. */
  statuses: readonly number[];
  /** The server closed the connection. */
  closed: boolean;
}>;

/**
 * Sends bytes and resolves when the server closes, or when it has answered as many requests as `answers`
 * without closing.
 */
export const sendRaw = (port: number, bytes: string | Buffer, answers = 1): Promise<RawAnswer> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(bytes));
    let text = "";
    const finish = (closed: boolean): void => {
      socket.destroy();
      resolve({ text, statuses: statusesIn(text), closed });
    };
    socket.setEncoding("latin1");
    socket.on("data", (chunk) => {
      text += chunk;
      if (!/\r\nconnection: close\r\n/i.test(text) && completeAnswers(text) >= answers) {
        finish(false);
      }
    });
    socket.on("error", () => finish(true));
    socket.on("close", () => finish(true));
  });

const statusesIn = (text: string): number[] =>
  [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status));

const completeAnswers = (text: string): number => {
  const end = text.indexOf("\r\n\r\n");
  if (end === -1) {
    return 0;
  }
  const head = text.slice(0, end);
  const body = text.slice(end + 4);
  const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1];
  if (length !== undefined) {
    return body.length < Number(length) ? 0 : 1 + completeAnswers(body.slice(Number(length)));
  }
  const last = body.indexOf("0\r\n\r\n");
  return last === -1 ? 0 : 1 + completeAnswers(body.slice(last + 5));
};
