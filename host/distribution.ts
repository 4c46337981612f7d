import { type Distribution, installWords, readDistribution } from '../core/distribution.ts';
import { readIfThere } from './if-there.ts';

/** Of this machine. Read anew each time: it is asked for by errors alone. */
export function thisDistribution(): Distribution {
  return readDistribution(osRelease());
}

export function osRelease(): string {
  return readIfThere('/etc/os-release') ?? readIfThere('/usr/lib/os-release') ?? '';
}

/** `Debian: apt-get install uidmap`, for the middle of a sentence. `packages` are Debian's names. */
export function packageWords(packages: string): string {
  return installWords(thisDistribution(), packages);
}

/** The hint of a HELPER_MISSING. */
export function installHint(packages: string): string {
  return `Install it (${packageWords(packages)}).`;
}
