const sizeLimit = 30 * 1024;

/**
 * What keeps a `.rsc` file (its raw bytes) from being shipped: a byte-order mark, anything but
 * ASCII, 30 KB or more. Empty when it may go.
 */
export function checkShippable(file: Uint8Array): string[] {
  const faults: string[] = [];
  if (file[0] === 0xef && file[1] === 0xbb && file[2] === 0xbf) {
    faults.push("it begins with a byte-order mark");
  }
  const at = file.findIndex(
    (byte) => byte > 0x7e || (byte < 0x20 && byte !== 0x0a && byte !== 0x09),
  );
  if (at >= 0) {
    const line = file.subarray(0, at).filter((byte) => byte === 0x0a).length + 1;
    faults.push(`line ${line} has a byte that is not plain ASCII`);
  }
  if (file.length >= sizeLimit) {
    faults.push(`it has ${file.length} bytes; fewer than ${sizeLimit} are allowed`);
  }
  return faults;
}
