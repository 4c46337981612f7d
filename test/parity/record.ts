/**
 * Record what Podman says to every case, as goldens for errors.test.ts and facts.test.ts. By hand, on a machine with Podman:
 *
 *   LICHEN_PARITY_PODMAN=podman sh scripts/node.sh test/parity/record.ts
 *
 * With words (`facts.json`) only these files are written. It adds the image localhost/busybox, containers and a volume to that Podman's store and removes them.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fixturePath } from '../fixtures/build/images.ts';
import { FACTS, FAILURES, type Case } from './cases.ts';
import { KEPT } from './cases-kept.ts';
import { NETWORKS } from './cases-networks.ts';
import { PODS } from './cases-pods.ts';
import { SEVERAL } from './cases-several.ts';
import { GOLDENS } from './goldens.ts';
import { normalise, type Said } from './normalise.ts';
import { IMAGE, prepare, PREPARE_PODS, RESTORE, RESTORE_PODS } from './setting.ts';

const podman = process.env['LICHEN_PARITY_PODMAN'];
if (podman === undefined) throw new Error('LICHEN_PARITY_PODMAN names no Podman');

const chosen = process.argv.slice(2);
const directory = mkdtempSync(join(tmpdir(), 'parity-'));
try {
  // It may run as another user.
  chmodSync(directory, 0o755);
  const archive = join(directory, 'busybox.tar');
  copyFileSync(await fixturePath('busybox'), archive);
  chmodSync(archive, 0o644);
  for (const argv of [...RESTORE_PODS, ...RESTORE]) run(podman, argv);
  for (const argv of prepare(archive)) expectSuccess(argv, run(podman, argv));
  // `rmi` of one of several names removes no image, so the cases after it would say something else.
  const names = run(podman, ['image', 'inspect', '--format', '{{len .RepoTags}}', IMAGE]).stdout.trim();
  if (names !== '1') throw new Error(`${IMAGE} has ${names} names in this store; take the others away first`);
  write('failures.json', FAILURES);
  write('facts.json', FACTS);
  write('kept.json', KEPT);
  write('networks.json', NETWORKS);
  for (const argv of PREPARE_PODS) expectSuccess(argv, run(podman, argv));
  write('pods.json', PODS);
  for (const argv of RESTORE_PODS) run(podman, argv);
  // These end what the others need.
  write('several.json', SEVERAL);
} finally {
  for (const argv of RESTORE_PODS) run(podman, argv);
  for (const argv of RESTORE) run(podman, argv);
  rmSync(directory, { recursive: true });
}

function write(name: string, cases: readonly Case[]): void {
  if (chosen.length > 0 && !chosen.includes(name)) return;
  const recorded = cases.map((one) => ({ ...one, ...normalise(run(podman!, one.argv)) }));
  writeFileSync(join(GOLDENS, name), `${JSON.stringify(recorded, undefined, 2)}\n`);
}

function run(program: string, argv: readonly string[]): Said {
  const { status, stdout, stderr } = spawnSync(program, argv, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], cwd: '/' });
  return { exitCode: status ?? -1, stdout, stderr };
}

function expectSuccess(argv: readonly string[], { exitCode, stderr }: Said): void {
  if (exitCode !== 0) throw new Error(`${argv.join(' ')}: ${stderr}`);
}
