/** Flags of a command line as keys of a Quadlet file, where they have one; the others stay flags. */
import { type Entry, valueOrFlag, wordsOf } from '../../libpod/quadlet/describe.ts';
import type { FlagRules } from '../../libpod/quadlet/flags.ts';
import type { ContainerConfig } from '../../libpod/spec/container.ts';
import { type Typed, without } from './typed.ts';

/** What else is written: a unit is to come after those of what it uses. By name. */
export interface Beside {
  readonly volumes: ReadonlySet<string>;
  readonly networks: ReadonlySet<string>;
  readonly pods: ReadonlySet<string>;
}

export interface FlagSource {
  readonly typed: Typed;
  /** By flag. `volume` and `network` have values that mean other Quadlet files. */
  readonly keys: FlagKeys;
  /** Flags that are not written. */
  readonly settled: ReadonlySet<string>;
  /** Of the container that has the mounts. */
  readonly mounts: ContainerConfig['mounts'];
  readonly beside: Beside;
}

export type FlagKeys = ReadonlyMap<string, { readonly key: string; readonly kind: keyof FlagRules }>;

export function flagKeys(rules: FlagRules): FlagKeys {
  return new Map(
    Object.entries(rules).flatMap(([kind, table]) =>
      Object.entries(table as Readonly<Record<string, string>>).map(
        ([key, flag]) => [flag.slice('--'.length), { key, kind: kind as keyof FlagRules }] as const,
      ),
    ),
  );
}

/** A file is meant, not a volume or a network of that name. */
const IS_FILE = /^[^:]*\.(?:volume|image|network|container)(?::|$)/;

export function flagEntries({ typed, keys, settled, mounts, beside }: FlagSource): readonly Entry[] {
  const flags = without(typed.flags, settled).flatMap(({ flags: some }) => some);
  return flags.flatMap((flag, index): readonly Entry[] => {
    const asFlag: Entry = ['PodmanArgs', wordsOf(...flag.alone)];
    const known = keys.get(flag.name);
    const value = flag.name === 'volume' ? withWholePath(flag.value, mounts) : flag.value;
    if (known === undefined || IS_FILE.test(value)) return [flag.name === 'volume' ? ['PodmanArgs', wordsOf('--volume', value)] : asFlag];
    switch (known.kind) {
      case 'text':
        return flags.slice(index + 1).some(({ name }) => name === flag.name) ? [] : [valueOrFlag(known.key, flag.name, value)];
      case 'bool':
        return [[known.key, value]];
      case 'values':
        return [valueOrFlag(known.key, flag.name, asFile(flag.name, value, beside))];
      case 'words':
        return [[known.key, wordsOf(value)]];
      case 'pairs':
        // Without a value it is the caller's, or many.
        return [value.includes('=') && !value.startsWith('=') ? [known.key, wordsOf(value)] : asFlag];
    }
  });
}

/** `data:/data` → `data.volume:/data` */
function asFile(flag: string, value: string, { volumes, networks }: Beside): string {
  const name = value.split(':', 1)[0]!;
  if (flag === 'volume' && volumes.has(name)) return `${name}.volume${value.slice(name.length)}`;
  return flag === 'network' && networks.has(name) ? `${name}.network${value.slice(name.length)}` : value;
}

/** What was typed relative to the working directory of that day is known by where it is mounted. */
function withWholePath(value: string, mounts: ContainerConfig['mounts']): string {
  const [source = '', target, ...options] = value.split(':');
  if (!source.startsWith('.') || target === undefined) return value;
  const mount = mounts.find((one) => one.type === 'bind' && one.target === target);
  return mount?.type === 'bind' ? [mount.source, target, ...options].join(':') : value;
}
