/** The bytes of one request, with the headers Anthropic's TypeScript SDK sends. */

const SDK_HEADERS: Readonly<Record<string, string>> = {
  accept: "application/json",
  "content-type": "application/json",
  "user-agent": "Anthropic/JS 1.11.0",
  "x-stainless-retry-count": "0",
  "x-stainless-timeout": "600",
  "x-stainless-lang": "js",
  "x-stainless-package-version": "1.11.0",
  "x-stainless-os": "Linux",
  "x-stainless-arch": "x64",
  "x-stainless-runtime": "node",
  "x-stainless-runtime-version": "v26.10.0",
  "anthropic-version": "2023-06-01",
};

/** What one request asks: `answer` chooses the upstream's answer (see upstream.ts). */
export type Question = Readonly<{ answer: string; body: Buffer }>;

/** The headers of a question to a server that wants `own` besides. */
export function requestHeaders(question: Question, own: Readonly<Record<string, string>>) {
  return { ...SDK_HEADERS, "x-bench": question.answer, ...own };
}

/** The whole request as it goes onto the socket. */
export function requestBytes(
  port: number,
  question: Question,
  own: Readonly<Record<string, string>>,
): Buffer {
  const headers = {
    host: `127.0.0.1:${port}`,
    connection: "keep-alive",
    ...requestHeaders(question, own),
    "content-length": String(question.body.length),
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  const head = `POST /v1/messages HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), question.body]);
}
