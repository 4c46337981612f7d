import type { Kind } from './keys.ts';

/** Kinds of Quadlet files whose command lichen does not have yet. test/unit/quadlet.test.ts holds it against the commands that are there. */
export const MISSING: Partial<Readonly<Record<Kind, string>>> = {
  kube: 'lichen kube play',
};

/** Keys whose flags the commands refuse so far (docs/differences.md), and why. */
export const MISSING_KEYS: Partial<Readonly<Record<Kind, Readonly<Record<string, string>>>>> = {
  artifact: { DecryptionKey: 'is not supported yet: layers are not decrypted' },
  image: { DecryptionKey: 'is not supported yet: layers are not decrypted' },
};

/** The commands that units of each kind call. */
export const COMMANDS: Readonly<Record<Kind, readonly string[]>> = {
  artifact: ['artifact pull'],
  build: ['build'],
  container: ['run', 'rm', 'exec', 'kill'],
  image: ['image pull'],
  kube: ['kube play', 'kube down'],
  network: ['network create', 'network rm'],
  pod: ['pod create', 'pod start', 'pod stop', 'pod rm'],
  volume: ['volume create'],
};
