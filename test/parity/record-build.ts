/**
 * Record what Podman makes of test/build-cases. By hand, on a machine with Podman, which may run as another user:
 *
 *   LICHEN_PARITY_PODMAN=podman sh scripts/node.sh test/parity/record-build.ts [CASE…]
 *
 * The cases are built in a store of its own, which is removed.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, createReadStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fixturePath } from '../fixtures/build/images.ts';
import { BASES, BUILD_CASES, buildCases, buildWords, imageOf, isTimed } from './build-cases.ts';
import { builtImage, treeChanges, treesOf, type BuildGolden } from './build-result.ts';
import { GOLDENS, readBuildGoldens } from './goldens.ts';

const chosen = process.argv.slice(2);
const podman = process.env['LICHEN_PARITY_PODMAN'];
if (podman === undefined) throw new Error('LICHEN_PARITY_PODMAN names no Podman');

const base = mkdtempSync(join(tmpdir(), 'build-parity-'));
chmodSync(base, 0o777);
try {
  cpSync(BUILD_CASES, join(base, 'cases'), { recursive: true, verbatimSymlinks: true });
  for (const image of BASES) {
    cpSync(await fixturePath(image), join(base, `${image}.tar`));
    run('load', '--quiet', '--input', join(base, `${image}.tar`));
  }
  const built: BuildGolden[] = [];
  for (const one of buildCases().filter(({ name }) => chosen.length === 0 || chosen.includes(name))) {
    const { status, stderr } = run(...buildWords(one, join(base, 'cases')));
    if (status !== 0) process.stderr.write(`${one.name}: ${status}: ${stderr.trim().split('\n').at(-1)}\n`);
    built.push({ name: one.name, exitCode: status });
  }
  const images = built.filter(({ exitCode }) => exitCode === 0).map(({ name }) => imageOf(name));
  run('save', '--quiet', '--multi-image-archive', '--output', join(base, 'all.tar'), 'localhost/busybox', ...images);
  const timed = buildCases().flatMap(({ name }) => (isTimed(name) ? [imageOf(name)] : []));
  const trees = await treesOf(createReadStream(join(base, 'all.tar')), (image) => timed.includes(image));
  const plain = trees.get('localhost/busybox:latest')!;
  const before = new Map(readBuildGoldens().map((golden) => [golden.name, golden]));
  const recorded = built.map((one): BuildGolden => {
    if (one.exitCode !== 0) return one;
    const [document] = JSON.parse(run('image', 'inspect', imageOf(one.name)).stdout) as unknown[];
    return { ...one, image: builtImage(document, treeChanges(trees.get(imageOf(one.name))!, plain), isTimed(one.name)) };
  });
  for (const one of recorded) before.set(one.name, one);
  const goldens = buildCases().flatMap(({ name }) => before.get(name) ?? []);
  writeFileSync(join(GOLDENS, 'build.json'), `${JSON.stringify(goldens, undefined, 1)}\n`);
} finally {
  spawnSync(podman, ['unshare', 'sh', '-c', 'umount "$1/root/overlay"; rm -rf "$1/root" "$1/run"', 'sh', base]);
  rmSync(base, { recursive: true });
}

function run(...words: readonly string[]) {
  const store = ['--root', join(base, 'root'), '--runroot', join(base, 'run')];
  const { status, stdout, stderr } = spawnSync(podman!, [...store, ...words], {
    encoding: 'utf8',
    cwd: '/',
    timeout: 60_000,
    maxBuffer: 2 ** 28,
  });
  return { status: status ?? -1, stdout, stderr };
}
