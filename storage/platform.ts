/** os/architecture/variant: how they are written, and which entry of an index suits a machine. */
import { plainText } from '../core/plain.ts';
import { EngineError } from '../core/errors.ts';
import type { Descriptor, Platform } from './image.ts';

/** GOARCH names for what uname, dpkg and Node say. */
const ARCHITECTURES: Readonly<Record<string, readonly [string, string?]>> = {
  x64: ['amd64'],
  x86_64: ['amd64'],
  'x86-64': ['amd64'],
  ia32: ['386'],
  i386: ['386'],
  i686: ['386'],
  aarch64: ['arm64'],
  armhf: ['arm', 'v7'],
  armv7l: ['arm', 'v7'],
  armel: ['arm', 'v6'],
};

/** Newest first. A machine runs its own variant and the older ones after it (containerd platforms/compare.go). */
const VARIANTS: Readonly<Record<string, readonly string[]>> = {
  arm: ['v8', 'v7', 'v6', 'v5'],
  amd64: ['v4', 'v3', 'v2', 'v1'],
};

/** What an index entry is taken to mean when it names no variant. */
const IMPLIED_VARIANT: Readonly<Record<string, string>> = { arm: 'v7', arm64: 'v8', amd64: 'v1' };

export function hostPlatform(): Platform {
  return normalisePlatform({ os: 'linux', architecture: process.arch });
}

/** `linux/arm64/v8`, `linux/amd64`, `arm64`; missing parts are the machine's. Throws INVALID_ARGUMENT. */
export function parsePlatform(text: string): Platform {
  const parts = text.split('/');
  if (parts.length > 3 || parts.some((part) => !/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(part))) {
    throw new EngineError('INVALID_ARGUMENT', `invalid platform syntax for ${JSON.stringify(text)} (use OS/ARCH[/VARIANT])`);
  }
  const [os, architecture, variant] = parts.length === 1 ? ['linux', parts[0]!] : [parts[0]!, parts[1]!, parts[2]];
  return normalisePlatform({ os, architecture, ...(variant === undefined ? {} : { variant }) });
}

export function normalisePlatform(platform: Platform): Platform {
  const given = platform.architecture.toLowerCase();
  const [architecture, implied] = ARCHITECTURES[given] ?? [given];
  const variant = platform.variant === undefined || platform.variant === '' ? implied : platform.variant.toLowerCase();
  return { os: platform.os.toLowerCase(), architecture, ...(variant === undefined ? {} : { variant }) };
}

export function formatPlatform(platform: Platform): string {
  return plainText([platform.os, platform.architecture, ...(platform.variant === undefined ? [] : [platform.variant])].join('/'));
}

/** True when a machine that was asked for `wanted` can run `offered`. */
export function suits(offered: Platform, wanted: Platform): boolean {
  return rank(offered, wanted) !== undefined;
}

/** The best entry: the newest variant that the wanted platform runs; the first of equals. Undefined when none suits. */
export function selectPlatform(entries: readonly Descriptor[], wanted: Platform): Descriptor | undefined {
  let best: { entry: Descriptor; rank: number } | undefined;
  for (const entry of entries) {
    if (entry.platform === undefined) continue;
    const found = rank(entry.platform, wanted);
    if (found !== undefined && (best === undefined || found < best.rank)) best = { entry, rank: found };
  }
  return best?.entry;
}

/** 0 is an exact match, more is older; undefined does not run. */
function rank(offered: Platform, wanted: Platform): number | undefined {
  const have = normalisePlatform(offered);
  const want = normalisePlatform(wanted);
  if (have.os !== want.os || have.architecture !== want.architecture) return undefined;
  const implied = IMPLIED_VARIANT[want.architecture] ?? '';
  const [haveVariant, wantVariant] = [have.variant ?? implied, want.variant ?? implied];
  if (haveVariant === wantVariant) return 0;
  const ladder = VARIANTS[want.architecture] ?? [];
  const [from, to] = [ladder.indexOf(wantVariant), ladder.indexOf(haveVariant)];
  return from === -1 || to < from ? undefined : to - from;
}
