/** Which distribution a machine has, and how things are installed on it: os-release(5) in, words out. */

export type Family = 'debian' | 'fedora' | 'arch' | 'alpine' | 'suse' | 'other';

export interface Distribution {
  readonly family: Family;
  /** ID of os-release, `unknown` where there is none. */
  readonly id: string;
  readonly version: string;
}

const FAMILIES: Readonly<Record<string, Family>> = {
  debian: 'debian',
  ubuntu: 'debian',
  fedora: 'fedora',
  rhel: 'fedora',
  centos: 'fedora',
  arch: 'arch',
  alpine: 'alpine',
  suse: 'suse',
  opensuse: 'suse',
};

/** By its own ID, else by those it says it is like, the nearest first. */
export function readDistribution(osRelease: string): Distribution {
  const id = osReleaseField(osRelease, 'ID') ?? 'unknown';
  const names = [id, ...(osReleaseField(osRelease, 'ID_LIKE') ?? '').split(' ')].map((name) => name.split('-')[0]!);
  const known = names.find((name) => Object.hasOwn(FAMILIES, name));
  return { family: known === undefined ? 'other' : FAMILIES[known]!, id, version: osReleaseField(osRelease, 'VERSION_ID') ?? 'unknown' };
}

export function osReleaseField(osRelease: string, key: string): string | undefined {
  return new RegExp(`^${key}=(?:"([^"]*)"|'([^']*)'|(.*))$`, 'm')
    .exec(osRelease)
    ?.slice(1)
    .find((text) => text !== undefined);
}

const LABELS: Readonly<Record<Family, string>> = {
  debian: 'Debian',
  fedora: 'Fedora',
  arch: 'Arch',
  alpine: 'Alpine',
  suse: 'openSUSE',
  other: '',
};

const INSTALLERS: Readonly<Record<Exclude<Family, 'other'>, string>> = {
  debian: 'apt-get install',
  fedora: 'dnf install',
  arch: 'pacman -S',
  alpine: 'apk add',
  suse: 'zypper install',
};

/** Packages that are called otherwise than by Debian. */
const OTHER_NAMES: Readonly<Record<string, Partial<Readonly<Record<Family, string>>>>> = {
  uidmap: { fedora: 'shadow-utils', arch: 'shadow', alpine: 'shadow-subids', suse: 'shadow' },
  iproute2: { fedora: 'iproute' },
};

/** The command that installs `packages` (Debian's names, blanks between); undefined where nobody knows how. */
export function installCommand({ family }: Pick<Distribution, 'family'>, packages: string): string | undefined {
  if (family === 'other') return undefined;
  const names = packages.split(' ').map((name) => OTHER_NAMES[name]?.[family] ?? name);
  return `${INSTALLERS[family]} ${names.join(' ')}`;
}

/** The same for the middle of a sentence: `Debian: apt-get install uidmap`. */
export function installWords(distribution: Pick<Distribution, 'family'>, packages: string): string {
  const command = installCommand(distribution, packages);
  return command === undefined ? `Debian's name of the package: ${packages}` : `${LABELS[distribution.family]}: ${command}`;
}
