/** Record what Podman's `generate systemd` says to every case, as record.ts does: LICHEN_PARITY_PODMAN=podman sh scripts/node.sh test/parity/record-units.ts */
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fixturePath } from '../fixtures/build/images.ts';
import { CONTAINERS, PODS, REMOVE, REMOVE_PODS, UNITS } from './cases-units.ts';
import { GOLDENS } from './goldens.ts';
import { normalise, type Said } from './normalise.ts';

const podman = process.env['LICHEN_PARITY_PODMAN'];
if (podman === undefined) throw new Error('LICHEN_PARITY_PODMAN names no Podman');

const directory = mkdtempSync(join(tmpdir(), 'parity-'));
try {
  // It may run as another user.
  chmodSync(directory, 0o755);
  const archive = join(directory, 'busybox.tar');
  copyFileSync(await fixturePath('busybox'), archive);
  chmodSync(archive, 0o644);
  for (const argv of [['load', '--quiet', '--input', archive], REMOVE_PODS, REMOVE, ...CONTAINERS, ...PODS]) run(argv);
  const recorded = UNITS.map((one) => ({ ...one, ...normalise(run(one.argv)) }));
  writeFileSync(join(GOLDENS, 'units.json'), `${JSON.stringify(recorded, undefined, 2)}\n`);
} finally {
  run(REMOVE_PODS);
  run(REMOVE);
  rmSync(directory, { recursive: true });
}

function run(argv: readonly string[]): Said {
  const { status, stdout, stderr } = spawnSync(podman!, argv, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], cwd: '/' });
  return { exitCode: status ?? -1, stdout, stderr };
}
