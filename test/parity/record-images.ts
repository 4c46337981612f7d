/**
 * Record what Podman says to every case of cases-images.ts. By hand, as root, on a machine with Podman and docker-registry:
 *
 *   LICHEN_PARITY_PODMAN=podman sh scripts/node.sh test/parity/record-images.ts
 *
 * It works in a store of its own, which it removes. All cases run, as each finds what those before it have left; with words (`load 'manifest add'`)
 * only what is said to the cases of these verbs is recorded anew.
 */
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { startRegistry } from '../host/registry.ts';
import { testHost } from '../host/host.ts';
import type { Case } from './cases.ts';
import { IMAGES } from './cases-images.ts';
import { GOLDENS, readGoldens, type Recorded } from './goldens.ts';
import { normalise, type Said } from './normalise.ts';
import { imageFiles, placed, unplaced } from './setting-images.ts';

const verbs = process.argv.slice(2);
const podman = process.env['LICHEN_PARITY_PODMAN'];
if (podman === undefined) throw new Error('LICHEN_PARITY_PODMAN names no Podman');

await using host = await testHost({ allowLeaks: true });
const [registry, locked] = [await startRegistry(host), await startRegistry(host, { secure: true })];
const base = mkdtempSync(join(tmpdir(), 'parity-'));
const directory = join(base, 'images');
try {
  for (const [name, bytes] of await imageFiles()) {
    const path = join(directory, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes);
  }
  // It may run as another user.
  for (const path of [base, directory, join(directory, 'policy.json')]) chmodSync(path, path.endsWith('.json') ? 0o666 : 0o777);
  const places = { directory, registry: registry.name, locked: locked.name };
  const before = new Map(readGoldens('images.json').map((golden) => [golden.name, golden]));
  const recorded: (Recorded | undefined)[] = [];
  for (const one of IMAGES) {
    const said = await run(placed(one.argv, places));
    if (said === undefined) throw new Error(`${one.name}: does not end`);
    recorded.push(isChosen(one) ? { ...one, ...normalise(unplaced(said, places)) } : before.get(one.name));
  }
  const kept = recorded.filter((golden) => golden !== undefined);
  writeFileSync(join(GOLDENS, 'images.json'), `${JSON.stringify(kept, undefined, 2)}\n`);
} finally {
  spawnSync(podman, ['unshare', 'sh', '-c', 'umount "$1/root/overlay"; rm -rf "$1/root" "$1/run"', 'sh', base]);
  rmSync(base, { recursive: true });
}

function isChosen({ name }: Case): boolean {
  return verbs.length === 0 || verbs.some((verb) => name === verb || name.startsWith(`${verb}:`));
}

/** Not spawnSync: what the registries say has to be read meanwhile. Undefined where it does not end. */
async function run(argv: readonly string[]): Promise<Said | undefined> {
  const store = ['--root', join(base, 'root'), '--runroot', join(base, 'run')];
  const child = spawn(podman!, [...store, ...argv], { stdio: ['ignore', 'pipe', 'pipe'], cwd: '/', timeout: 12_000 });
  const [stdout, stderr, exitCode] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise((resolve) => child.once('close', resolve)),
  ]);
  return typeof exitCode === 'number' ? { exitCode, stdout, stderr } : undefined;
}
