/** A `content_block_delta` event's share of the answer. */
export type DeltaShare = {
  /** Bytes of delivered text, JSON escapes included. */
  textBytes: number;
  /** Tokens upstream says it thought without showing the thoughts. */
  hiddenTokens: number;
  /** Whether the event stands for output tokens at all. */
  counts: boolean;
};

const head = Buffer.from('{"type":"content_block_delta","index":');
const typeHead = Buffer.from(',"delta":{"type":"');

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
 * @param end end of the bytes at hand; `size` is the whole line's length, which may be more
 */
export const readDelta = (
  share: DeltaShare,
  bytes: Buffer,
  start: number,
  end: number,
  size: number,
): void => {
  share.hiddenTokens = 0;
  share.counts = true;
  const type = typeOffset(bytes, start, end);
  const longIndex = type < 0 ? 0 : type - start - head.length - 1 - typeHead.length;
  const kind = type < 0 ? 0x74 : bytes[type];
  if (kind === 0x73 || (kind === 0x63 && bytes[type + 1] === 0x69)) {
    share.counts = false;
    share.textBytes = 0;
    return;
  }
  let envelope = envelopes.text;
  if (kind === 0x69) {
    envelope = envelopes.input;
  } else if (kind === 0x74 && bytes[type + 1] === 0x68) {
    envelope = envelopes.thinking + readHidden(share, bytes, end);
  }
  share.textBytes = Math.max(0, size - envelope - longIndex);
};

/** Where the delta's type begins, or -1. The index before it has one to three digits. */
const typeOffset = (bytes: Buffer, start: number, end: number): number => {
  let i = start + head.length;
  if (!startsWith(bytes, start, end, head)) {
    return -1;
  }
  for (let digits = 0; digits < 3 && i < end && isDigit(bytes[i] as number); digits++) {
    i++;
  }
  return startsWith(bytes, i, end, typeHead) ? i + typeHead.length : -1;
};

const startsWith = (bytes: Buffer, start: number, end: number, expected: Buffer): boolean => {
  if (start < 0 || start + expected.length >= end) {
    return false;
  }
  for (let i = 0; i < expected.length; i++) {
    if (bytes[start + i] !== expected[i]) {
      return false;
    }
  }
  return true;
};

const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39;

const estimateKey = Buffer.from(',"estimated_tokens":');
const nothingHidden = Buffer.from(',"estimated_tokens":null');

/**
 * `,"estimated_tokens":50}}` at the end of a thinking delta says what it hides; at most seven digits are read.
 * Gives the bytes it takes.
 */
const readHidden = (share: DeltaShare, bytes: Buffer, end: number): number => {
  const last = end - 2;
  if (startsWith(bytes, last - nothingHidden.length, end, nothingHidden)) {
    return nothingHidden.length;
  }
  let i = last;
  let tokens = 0;
  for (let unit = 1; unit < 1e7 && i > 0 && isDigit(bytes[i - 1] as number); unit *= 10) {
    tokens += unit * ((bytes[--i] as number) - 0x30);
  }
  if (i === last || !startsWith(bytes, i - estimateKey.length, end, estimateKey)) {
    return 0;
  }
  share.hiddenTokens = tokens;
  return last - i + estimateKey.length;
};
