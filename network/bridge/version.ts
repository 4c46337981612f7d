/**
 * How old netavark and aardvark-dns are: some things that we want of them came between Debian 12's (1.4) and later ones. Asked once per binary, as
 * options of helpers are (probe.ts).
 */
import { probeText } from '../probe.ts';

/** The first with both: a `none` firewall, and a server of names that reads every network's file when it is told of one. */
const RECENT_MINOR = 10;

/** Throws HELPER_FAILED, TIMEOUT. */
export async function isRecent(program: string, cacheDirectory: string): Promise<boolean> {
  return isRecentVersion(await probeText(program, '--version', cacheDirectory));
}

/** Pure: `netavark 1.17.2` and the like. What calls itself otherwise is taken for an old one. */
export function isRecentVersion(said: string): boolean {
  const [, major, minor] = /\b(\d+)\.(\d+)\./.exec(said) ?? [];
  return Number(major) > 1 || (Number(major) === 1 && Number(minor) >= RECENT_MINOR);
}
