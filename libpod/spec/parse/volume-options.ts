/** Options of `--volume` and `--tmpfs`: which exist, and which exclude each other. The words are Podman's. */
import { invalid } from './go.ts';

interface Exclusive {
  readonly options: readonly string[];
  readonly words: string;
}

/** At most one out of each row. */
const EXCLUSIVE: readonly Exclusive[] = [
  { options: ['rw', 'ro'], words: "'rw' or 'ro' option" },
  { options: ['z', 'Z', 'O'], words: "'z', 'Z', or 'O' option" },
  { options: ['U'], words: "'U' option" },
  {
    options: ['private', 'rprivate', 'slave', 'rslave', 'shared', 'rshared', 'unbindable', 'runbindable'],
    words: "'[r]shared', '[r]private', '[r]slave' or '[r]unbindable' option",
  },
  { options: ['bind', 'rbind'], words: "'[r]bind' option" },
  { options: ['noexec', 'exec'], words: "'noexec' or 'exec' option" },
  { options: ['nodev', 'dev'], words: "'nodev' or 'dev' option" },
  { options: ['nosuid', 'suid'], words: "'nosuid' or 'suid' option" },
  { options: ['copy', 'nocopy'], words: "'copy' or 'nocopy' option" },
];

const VOLUME_OPTIONS: ReadonlySet<string> = new Set([...EXCLUSIVE.flatMap(({ options }) => options), 'idmap', 'no-dereference']);

/** Throws INVALID_ARGUMENT. Order is kept; nothing is added. */
export function checkVolumeOptions(options: readonly string[]): readonly string[] {
  const overlay = options.includes('O');
  const upper = options.some((option) => option.startsWith('upperdir='));
  const work = options.some((option) => option.startsWith('workdir='));
  for (const option of options) {
    if (VOLUME_OPTIONS.has(option) || option.startsWith('idmap=')) continue;
    if (/^(upperdir|workdir)=/.test(option)) {
      if (!overlay) throw invalid(`unknown mount option ${JSON.stringify(option)}: invalid mount option`);
      continue;
    }
    throw invalid(`invalid option type ${JSON.stringify(option)}`);
  }
  if (upper !== work) throw invalid('must set both `upperdir` and `workdir`');
  for (const { options: row, words } of EXCLUSIVE) {
    const found = options.filter((option) => row.includes(option));
    if (found.length > 1) throw invalid(`invalid options ${JSON.stringify(found.join(', '))}, can only specify 1 ${words}`);
  }
  return options;
}

const TMPFS_OPTIONS: ReadonlySet<string> = new Set(
  (
    'ro rw U private rprivate slave rslave shared rshared unbindable runbindable bind rbind ' +
    'noexec exec nodev dev nosuid suid tmpcopyup notmpcopyup noatime atime'
  ).split(' '),
);

/** Wider than Podman's list by what Docker takes (uid, gid, nr_inodes). Throws INVALID_ARGUMENT. */
export function checkTmpfsOptions(options: readonly string[]): readonly string[] {
  for (const option of options) {
    if (TMPFS_OPTIONS.has(option) || /^(size|mode|uid|gid|nr_inodes|nr_blocks)=./.test(option)) continue;
    throw invalid(`unknown mount option ${JSON.stringify(option)}: invalid mount option`);
  }
  if (options.includes('rw') && options.includes('ro'))
    throw invalid("only one of 'rw' and 'ro' can be used: duplicate mount option passed");
  return options;
}
