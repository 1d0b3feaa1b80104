/** A `content_block_delta` event's share of the answer. */
export type DeltaShare = {
  /** Bytes of delivered text, JSON escapes included. */
  textBytes: number;
  /** Tokens upstream says it thought without showing the thoughts. */
  hiddenTokens: number;
  /** Whether the event stands for output tokens at all. */
  counts: boolean;
};

const head = '{"type":"content_block_delta","index":';
const typeHead = ',"delta":{"type":"';

/** Bytes of each kind's event that are not text: a sample with no text in it. */
const envelopes = {
  text: '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":""}}'.length,
  thinking:
    '{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":""}}'
      .length,
  input:
    '{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":""}}'
      .length,
};

/**
 * Reads a delta's share from its data line without parsing it: the kind stands at a fixed place.
 * Signatures and citations are no output tokens. An unknown spelling counts as text.
 * @param text a character for each byte; the line stands in it from `start` to `end`
 * @param size the whole line's length, which may be more
 */
export const readDelta = (
  share: DeltaShare,
  text: string,
  start: number,
  end: number,
  size: number,
): void => {
  share.hiddenTokens = 0;
  share.counts = true;
  const type = typeOffset(text, start, end);
  const longIndex = type < 0 ? 0 : type - start - head.length - 1 - typeHead.length;
  const kind = type < 0 ? 0x74 : text.charCodeAt(type);
  if (kind === 0x73 || (kind === 0x63 && text.charCodeAt(type + 1) === 0x69)) {
    share.counts = false;
    share.textBytes = 0;
    return;
  }
  let envelope = envelopes.text;
  if (kind === 0x69) {
    envelope = envelopes.input;
  } else if (kind === 0x74 && text.charCodeAt(type + 1) === 0x68) {
    envelope = envelopes.thinking + readHidden(share, text, end);
  }
  share.textBytes = Math.max(0, size - envelope - longIndex);
};

/** Where the delta's type begins, or -1. The index before it has one to three digits. */
const typeOffset = (text: string, start: number, end: number): number => {
  let i = start + head.length;
  if (!startsWith(text, start, end, head)) {
    return -1;
  }
  for (let digits = 0; digits < 3 && i < end && isDigit(text.charCodeAt(i)); digits++) {
    i++;
  }
  return startsWith(text, i, end, typeHead) ? i + typeHead.length : -1;
};

/** Never at the very end: something follows whatever is looked for. */
const startsWith = (text: string, start: number, end: number, expected: string): boolean =>
  start >= 0 && start + expected.length < end && text.startsWith(expected, start);

const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39;

const estimateKey = ',"estimated_tokens":';
const nothingHidden = ',"estimated_tokens":null';

/**
 * `,"estimated_tokens":50}}` at the end of a thinking delta says what it hides; at most seven digits are read.
 * Gives the bytes it takes.
 */
const readHidden = (share: DeltaShare, text: string, end: number): number => {
  const last = end - 2;
  if (startsWith(text, last - nothingHidden.length, end, nothingHidden)) {
    return nothingHidden.length;
  }
  let i = last;
  let tokens = 0;
  for (let unit = 1; unit < 1e7 && i > 0 && isDigit(text.charCodeAt(i - 1)); unit *= 10) {
    tokens += unit * (text.charCodeAt(--i) - 0x30);
  }
  if (i === last || !startsWith(text, i - estimateKey.length, end, estimateKey)) {
    return 0;
  }
  share.hiddenTokens = tokens;
  return last - i + estimateKey.length;
};
