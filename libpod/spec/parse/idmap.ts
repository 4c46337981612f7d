/** `--uidmap` and `--gidmap`: `[flags]container:host[:size]`. */
import type { IdRange } from '../wish.ts';
import { invalid, parseUint } from './go.ts';

/**
 * Host ids are counted inside lichen's own user namespace. Size is 1 where absent. Podman's extensions: a leading `u` or `g` limits
 * a line to one of the two maps (`kind` tells which one is read; absent: all lines count). `+` (extend the default map) and `@`
 * (an id of the host itself) need the caller's subordinate ids and are refused as NOT here: INVALID_ARGUMENT.
 */
export function parseIdMappings(texts: readonly string[], kind?: 'u' | 'g'): IdRange[] {
  const ranges: IdRange[] = [];
  for (const text of texts) {
    const range = parseLine(text, kind);
    if (range !== undefined) ranges.push(range);
  }
  checkOverlap(ranges);
  return ranges;
}

function parseLine(text: string, kind: 'u' | 'g' | undefined): IdRange | undefined {
  const parts = text.split(':');
  if (parts.length < 2 || parts.length > 3) {
    const expected = '["[+ug]uint32:[@]uint32[:uint32]"]';
    throw invalid(
      `initializing ID mappings: ${kind === 'g' ? 'GID' : 'UID'} setting is malformed expected ${expected} : [${JSON.stringify(text)}]`,
    );
  }
  const flags = /^[^\d]*/.exec(parts[0]!)![0];
  for (const flag of flags) {
    if (flag === '+') throw invalid(`invalid mapping: [${parts.join(' ')}]. The "+" flag is not supported yet`);
    if (flag !== 'u' && flag !== 'g') throw invalid(`invalid mapping: [${parts.join(' ')}]. Unknown flag ${flag.codePointAt(0)}`);
  }
  if (parts[1]!.startsWith('@')) throw invalid(`invalid mapping: [${parts.join(' ')}]. Host ids with "@" are not supported yet`);
  const containerId = parseUint(parts[0]!.slice(flags.length), 32);
  const hostId = parseUint(parts[1]!, 32);
  const size = parts[2] === undefined ? 1 : parseUint(parts[2], 32);
  if (size === 0) throw invalid(`invalid mapping: [${parts.join(' ')}]. The size must be greater than 0`);
  return flags === '' || kind === undefined || flags.includes(kind) ? { containerId, hostId, size } : undefined;
}

/** The kernel refuses overlapping lines with a bare EINVAL (user_namespaces(7)). */
function checkOverlap(ranges: readonly IdRange[]): void {
  for (const side of ['containerId', 'hostId'] as const) {
    const sorted = ranges.toSorted((a, b) => a[side] - b[side]);
    for (const [index, range] of sorted.entries()) {
      const next = sorted[index + 1];
      if (next !== undefined && range[side] + range.size > next[side]) {
        throw invalid(`the id mappings ${show(range)} and ${show(next)} overlap`);
      }
    }
  }
}

function show({ containerId, hostId, size }: IdRange): string {
  return `${containerId}:${hostId}:${size}`;
}
