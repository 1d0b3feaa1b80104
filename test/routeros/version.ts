/** Whether RouterOS `version` (`7.15`, `7.15.3`, `7.22rc1`) is `least` or newer. */
export function atLeast(version: string, least: string): boolean {
  const a = numbers(version);
  const b = numbers(least);
  for (let i = 0; i < 3; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) {
      return difference > 0;
    }
  }
  return true;
}

function numbers(version: string): number[] {
  return version
    .replace(/(alpha|beta|rc).*$/, "")
    .split(".")
    .map(Number);
}
