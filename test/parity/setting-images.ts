/** What the cases of cases-images.ts name by `@` words: a directory with archives, a registry, a registry with a password. */
import { readFileSync } from 'node:fs';
import { fixturePath } from '../fixtures/build/images.ts';
import { directory, file, tarBytes } from '../fixtures/build/tar.ts';
import type { Said } from './normalise.ts';

export interface Places {
  /** Writable by the user; empty but for `imageFiles`. */
  readonly directory: string;
  /** `127.0.0.1:5000` */
  readonly registry: string;
  /** Of the user `lichen` with the password `throw-away`. */
  readonly locked: string;
}

const POLICY = {
  default: [{ type: 'insecureAcceptAnything' }],
  transports: {
    docker: {
      'example.org': [{ type: 'reject' }],
      'example.net/team': [{ type: 'signedBy', keyType: 'GPGKeys', keyPath: '/no/such.gpg' }],
    },
  },
};

/** By name. */
export async function imageFiles(): Promise<readonly (readonly [string, Uint8Array])[]> {
  const root = await Array.fromAsync(tarBytes([directory('etc'), file('etc/hostname', 'box\n')]));
  return [
    ['busybox.tar', readFileSync(await fixturePath('busybox'))],
    ['busybox.oci.tar', readFileSync(await fixturePath('busybox', 'oci-archive'))],
    ['layered.tar', readFileSync(await fixturePath('layered'))],
    ['foreign.tar', readFileSync(await fixturePath('foreign'))],
    ['configured.tar', readFileSync(await fixturePath('configured'))],
    ['root.tar', Buffer.concat(root)],
    ['note', Buffer.from('a note\n')],
    ['password', Buffer.from('throw-away')],
    ['policy.json', Buffer.from(`${JSON.stringify(POLICY)}\n`)],
    ['registries.d/example.yaml', Buffer.from('docker:\n  example.net/team:\n    sigstore: https://example.net/sigstore\n')],
  ];
}

export function placed(argv: readonly string[], { directory: at, registry, locked }: Places): readonly string[] {
  return argv.map((word) => word.replaceAll('@DIRECTORY', at).replaceAll('@REGISTRY', registry).replaceAll('@LOCKED', locked));
}

/** The other way round, and what changes with the day, the width of other columns and the encoder is made equal. */
export function unplaced({ exitCode, stdout, stderr }: Said, { directory: at, registry, locked }: Places): Said {
  const clean = (text: string) =>
    text
      .replaceAll(at, '@DIRECTORY')
      .replaceAll(registry, '@REGISTRY')
      .replaceAll(locked, '@LOCKED')
      .replaceAll(/(\d+|About an?|Less than a) (second|minute|hour|day|week|month|year)s? ago/g, 'AGO')
      .replaceAll(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( ?[+-]\d{4})?( UTC|Z)?/g, 'TIME')
      .replaceAll(/^[0-9a-f]{25}$/gm, 'SECRET')
      .replaceAll(/"size": \d+/g, '"size": N')
      .replaceAll(/^( \* (?:oci|oci-archive|docker-archive|dir): ).+$/gm, '$1WHY')
      .replaceAll(/(lookup \S+) on \S+:53: /g, '$1: ')
      .replaceAll(/\/\S+\/root\/artifacts\b/g, '@ARTIFACTS')
      .replaceAll(/ {2,}(?=\S)/g, (gap, at2: number, whole: string) => (at2 === 0 || whole[at2 - 1] === '\n' ? gap : '  '));
  return { exitCode, stdout: clean(stdout), stderr: clean(stderr) };
}
