/** Options of volumes and mounts: which may stand together, and what is added where nothing was said (podman-run(1), --volume). */
import { EngineError } from '../../core/errors.ts';

/** Options that only concern lichen: who owns the source, whether it is copied up, SELinux labels. No runtime gets to see them. */
const NOT_FOR_RUNTIME: ReadonlySet<string> = new Set(['U', 'z', 'Z', 'O', 'copy', 'nocopy', 'notmpcopyup', 'no-dereference']);

/** Groups of which one option at most may be given, and how Podman words the complaint. */
const EXCLUSIVE: readonly (readonly [options: readonly string[], words: string])[] = [
  [['exec', 'noexec'], "'noexec' or 'exec'"],
  [['suid', 'nosuid'], "'nosuid' or 'suid'"],
  [['dev', 'nodev'], "'nodev' or 'dev'"],
  [['rw', 'ro'], "'rw' or 'ro'"],
  [
    ['private', 'rprivate', 'slave', 'rslave', 'shared', 'rshared', 'unbindable', 'runbindable'],
    "'[r]shared', '[r]private', '[r]slave' or '[r]unbindable'",
  ],
  [['bind', 'rbind'], "'rbind' or 'bind'"],
  [['copy', 'nocopy'], "'nocopy' or 'copy'"],
  [['z', 'Z'], "'z' or 'Z'"],
  [['tmpcopyup', 'notmpcopyup'], "'tmpcopyup' or 'notmpcopyup'"],
];
const PROPAGATION: readonly string[] = EXCLUSIVE[4]![0];
const BIND_OR_VOLUME: readonly string[] = [...EXCLUSIVE.flatMap(([options]) => options), 'U', 'O', 'noatime', 'no-dereference'];
const TMPFS_KEYS: readonly string[] = ['size', 'mode', 'nr_inodes', 'nr_blocks', 'uid', 'gid', 'mpol', 'huge', 'noswap', 'noatime'];

/** Flags of the source's file system that a user namespace may not take off again (mount_namespaces(7)). */
export type LockedFlag = 'nosuid' | 'nodev' | 'noexec';

/** Those added to volumes and tmpfs, whose content is the container's own. */
export const CONTENT_FLAGS: readonly LockedFlag[] = ['nosuid', 'nodev'];

/** Options of a bind mount or volume. `flags`: what applies unless the opposite was asked for. Throws INVALID_ARGUMENT. */
export function bindOptions(asked: readonly string[], flags: readonly LockedFlag[]): string[] {
  checkExclusive(asked);
  for (const option of asked) {
    const key = keyOf(option);
    if (!BIND_OR_VOLUME.includes(option) && key !== 'idmap' && key !== 'upperdir' && key !== 'workdir') {
      throw new EngineError('INVALID_ARGUMENT', `unknown mount option ${JSON.stringify(option)}: invalid mount option`);
    }
  }
  const isBound = asked.includes('bind') || asked.includes('rbind');
  const propagation = asked.some((option) => PROPAGATION.includes(option)) ? [] : [asked.includes('bind') ? 'private' : 'rprivate'];
  return [...asked, ...propagation, ...missingFlags(asked, flags), ...(isBound ? [] : ['rbind'])];
}

/** Options of a tmpfs. Throws INVALID_ARGUMENT. */
export function tmpfsOptions(asked: readonly string[]): string[] {
  checkExclusive(asked);
  for (const option of asked) {
    if (option === 'bind' || option === 'rbind') {
      throw new EngineError('INVALID_ARGUMENT', "the 'bind' and 'rbind' options are not allowed with tmpfs mounts: invalid mount option");
    }
    if (!BIND_OR_VOLUME.includes(option) && !TMPFS_KEYS.includes(keyOf(option))) {
      throw new EngineError('INVALID_ARGUMENT', `unknown mount option ${JSON.stringify(option)}: invalid mount option`);
    }
  }
  const propagation = asked.some((option) => PROPAGATION.includes(option)) ? [] : ['rprivate'];
  const copyUp = asked.includes('tmpcopyup') || asked.includes('notmpcopyup') ? [] : ['tmpcopyup'];
  return [...asked, ...propagation, ...missingFlags(asked, CONTENT_FLAGS), ...copyUp];
}

/** What the runtime and inspect see of a mount's options. */
export function runtimeOptions(options: readonly string[]): string[] {
  return options.filter((option) => !NOT_FOR_RUNTIME.has(option));
}

/** The propagation among the options, '' where there is none. */
export function propagationOf(options: readonly string[]): string {
  return options.find((option) => PROPAGATION.includes(option)) ?? '';
}

/**
 * The propagation that the root mount needs so that those of the mounts below it can work; absent: the runtime's own choice.
 */
export function rootPropagation(mounts: readonly { readonly options: readonly string[] }[]): string | undefined {
  const asked = new Set(mounts.map(({ options }) => propagationOf(options).replace(/^r(?=shared|slave)/, '')));
  if (asked.has('shared')) return 'shared';
  return asked.has('slave') ? 'rslave' : undefined;
}

function missingFlags(asked: readonly string[], flags: readonly LockedFlag[]): string[] {
  return ['noexec', 'nosuid', 'nodev'].filter(
    (flag) => flags.includes(flag as LockedFlag) && !asked.includes(flag) && !asked.includes(flag.slice(2)),
  );
}

function checkExclusive(asked: readonly string[]): void {
  for (const [options, words] of EXCLUSIVE) {
    const given = asked.filter((option) => options.includes(option));
    if (given.length > 1) {
      throw new EngineError('INVALID_ARGUMENT', `invalid options ${JSON.stringify(given.join(', '))}, can only specify 1 ${words} option`);
    }
  }
}

function keyOf(option: string): string {
  return option.split('=', 1)[0] ?? '';
}
