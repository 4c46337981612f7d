import packageJson from '../package.json' with { type: 'json' };

export const VERSION = packageJson.version;

/** The Podman release whose command line and API this version follows. */
export const API_VERSION = '5.8.6';

/** Names that a link to lichen may have. Whoever calls it by one compares the version with Podman's. */
const OTHER_NAMES: ReadonlySet<string> = new Set(['podman', 'docker']);

/** What `--version` says; podman-docker's `docker` names Podman, too. */
export function versionLine(program: string): string {
  return OTHER_NAMES.has(program) ? `podman version ${API_VERSION}` : `${program} version ${VERSION}`;
}

/** The version under Podman's keys. */
export function versionDocument(program: string) {
  return {
    APIVersion: API_VERSION,
    Version: OTHER_NAMES.has(program) ? API_VERSION : VERSION,
    // Podman's key for what a program was made with; lichen runs on Node.
    GoVersion: `node ${process.version}`,
    GitCommit: '',
    BuiltTime: '',
    Built: 0,
    BuildOrigin: '',
    OsArch: `linux/${process.arch === 'x64' ? 'amd64' : process.arch}`,
    Os: 'linux',
  };
}
