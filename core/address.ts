/** IP addresses as Go's net.ParseIP takes them: no zone, no leading zeros. node:net would do, but is not loaded on the hot path. */

export function isAddress(text: string): boolean {
  return isIpv4(text) || isIpv6(text);
}

export function isIpv4(text: string): boolean {
  const parts = text.split('.');
  return parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255);
}

export function isIpv6(text: string): boolean {
  const halves = text.split('::');
  if (halves.length > 2) return false;
  const groups = halves.flatMap((half, index) => countGroups(half, index === halves.length - 1));
  if (groups.some((count) => count === undefined)) return false;
  const total = (groups as number[]).reduce((sum, count) => sum + count, 0);
  return halves.length === 2 ? total < 8 : total === 8;
}

/** 16-bit groups in one side of `::`; undefined where it is malformed. An IPv4 tail counts as two. */
function countGroups(half: string, mayEndInIpv4: boolean): number | undefined {
  if (half === '') return 0;
  const parts = half.split(':');
  const tail = mayEndInIpv4 && isIpv4(parts.at(-1)!) ? parts.pop() : undefined;
  return parts.every((part) => /^[\da-f]{1,4}$/i.test(part)) ? parts.length + (tail === undefined ? 0 : 2) : undefined;
}

/** 32 hexadecimal digits in the short form of RFC 5952: the longest run of two or more zero groups becomes `::`. */
export function formatSix(hex: string): string {
  const groups = Array.from({ length: 8 }, (_, at) => Number.parseInt(hex.slice(at * 4, at * 4 + 4), 16).toString(16));
  const runs = groups
    .map((_, at) => groups.slice(at).findIndex((group) => group !== '0'))
    .map((length, at) => (length < 0 ? 8 - at : length));
  const longest = Math.max(...runs);
  if (longest < 2) return groups.join(':');
  const start = runs.indexOf(longest);
  return `${groups.slice(0, start).join(':')}::${groups.slice(start + longest).join(':')}`;
}
