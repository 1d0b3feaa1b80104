import { UnexpectedAnswerError } from "./errors.ts";

/** No answer of a relay comes near it: pages end at 2 MB, completions at 128,000 tokens. */
export const largestAnswerBytes = 32 * 1024 * 1024;

/**
 * The chunks of a body, as they come. Throws UnexpectedAnswerError past `limit` bytes.
 * Leaving the loop early lets go of the connection.
 */
export async function* chunksOf(response: Response, limit: number): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader();
  if (reader === undefined) {
    return;
  }
  let bytes = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) {
        return;
      }
      bytes += value.byteLength;
      if (bytes > limit) {
        throw new UnexpectedAnswerError(`The answer is larger than ${limit} bytes.`, {
          status: response.status,
        });
      }
      yield value;
    }
  } finally {
    // Rejects with what broke the body, which the reader has heard already.
    reader.cancel().catch(() => undefined);
  }
}

/** A whole body as text. Throws UnexpectedAnswerError when it is too large or not UTF-8. */
export const textOfBody = async (response: Response, limit: number): Promise<string> => {
  const text = strictDecoder(response.status);
  let whole = "";
  for await (const chunk of chunksOf(response, limit)) {
    whole += text(chunk);
  }
  return whole + text();
};

/** Decodes UTF-8 piece by piece, characters split between pieces included; called without one at the end. */
export const strictDecoder = (status: number): ((chunk?: Uint8Array) => string) => {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  return (chunk) => {
    try {
      return decoder.decode(chunk, { stream: chunk !== undefined });
    } catch {
      throw new UnexpectedAnswerError("The answer is not UTF-8.", { status });
    }
  };
};
