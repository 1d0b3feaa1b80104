/** An upstream in the test's own hand: each request waits until the test answers it, write by write. */
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export type HandUpstream = Readonly<{
  url: string;
  /** The next request, its body read, as the response to write to. */
  next(): Promise<ServerResponse>;
  close(): Promise<void>;
}>;

export const startHandUpstream = async (): Promise<HandUpstream> => {
  const arrived: ServerResponse[] = [];
  const waiting: ((response: ServerResponse) => void)[] = [];
  const server = createServer((request, response) => {
    request.resume().on("end", () => {
      const waiter = waiting.shift();
      if (waiter === undefined) {
        arrived.push(response);
      } else {
        waiter(response);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    next: () => {
      const response = arrived.shift();
      return response === undefined
        ? new Promise((resolve) => waiting.push(resolve))
        : Promise.resolve(response);
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};

export const eventStream = { "content-type": "text/event-stream; charset=utf-8" };

/** The events of a small answer, each as it stands on the wire. */
export const events = {
  start:
    'event: message_start\ndata: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude-haiku-4-5-20251001","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":25,"output_tokens":1}}}\n\n',
  blockStart:
    'event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}\n\n',
  delta:
    'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hello"}}\n\n',
  blockStop: 'event: content_block_stop\ndata: {"type":"content_block_stop","index":0}\n\n',
  messageDelta:
    'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":15}}\n\n',
  stop: 'event: message_stop\ndata: {"type":"message_stop"}\n\n',
} as const;

/** All of them, in order. */
export const wholeStream = Object.values(events).join("");
