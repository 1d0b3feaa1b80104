/** What an address answers that may be a relay's. */

/** In bytes: a relay's answer is small, and a stranger's page need not be read. */
const largest = 64 * 1024;

/** The text of an answer, as far as it is worth reading. */
export const beginningOf = async (response: Response): Promise<string> => {
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > largest) {
      break;
    }
    text += decoder.decode(chunk, { stream: true });
  }
  return text;
};

/** The fields of an answer about a relay's health; undefined for anything else. */
export const healthIn = (text: string): Readonly<Record<string, unknown>> | undefined => {
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === "object" && body !== null && "status" in body ? { ...body } : undefined;
  } catch {
    return undefined;
  }
};
