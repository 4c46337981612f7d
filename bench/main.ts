/**
 * `npm run bench [-- [ROW…] [--samples=N]]`: lichen and Podman side by side, as a Markdown table. Without rows: all of them.
 *
 * Both run in one environment, as an ordinary user. LICHEN_BENCH_ENTER is a command prefix that leads there (this repository visible at its own
 * path); without it, root makes a test host and an ordinary user stays where he is. LICHEN_BENCH_PODMAN names another podman to run there.
 */
import { spawn } from 'node:child_process';
import { accessSync } from 'node:fs';
import { join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import { canMakeDebian, plainDebian } from '../test/fixtures/build/debian.ts';
import { fixturePath } from '../test/fixtures/build/images.ts';
import { pushFixture } from '../test/fixtures/build/push.ts';
import { canShapeHosts, testHost } from '../test/host/host.ts';
import { REPOSITORY } from '../test/host/places.ts';
import type { Assignment } from './driver.ts';
import { largeArchive, largeImage } from './large.ts';
import { startBenchRegistry } from './registry.ts';
import type { Material } from './material.ts';
import { ROWS } from './rows.ts';
import type { Measured } from './sample.ts';
import type { Phase } from './startup.ts';
import { formatPhases, formatTable, missesBudget } from './table.ts';

const WITH_REGISTRY = ['pull', 'pull-present', 'push'];
const WITH_DEBIAN = ['build-apt'];
const WITH_ARCHIVE = ['load', 'disk', 'push', 'rmi', 'keep-id-first', 'keep-id'];

const names = [...ROWS.map(({ name }) => name), 'startup'];
const words = process.argv.slice(2);
const samples = Number(words.find((word) => word.startsWith('--samples='))?.slice('--samples='.length));
const chosen = words.filter((word) => !word.startsWith('--'));
const unknown = chosen.filter((word) => !names.includes(word));
if (unknown.length > 0) {
  process.stderr.write(`bench: no such row: ${unknown.join(' ')}; there are: ${names.join(' ')}\n`);
  process.exit(2);
}
const rows = chosen.length > 0 ? chosen : names;

const enter = process.env['LICHEN_BENCH_ENTER']?.split(' ').filter(Boolean);
await using registry = rows.some((row) => WITH_REGISTRY.includes(row)) ? await startBenchRegistry() : undefined;
if (registry !== undefined) await pushFixture(await largeImage(), { url: `http://${registry.name}` }, 'large', 'latest');
const material = await prepareMaterial(rows, registry?.name);
const results: Measured[] = [];
let phases: readonly Phase[] = [];

if (enter === undefined && canShapeHosts) {
  await using host = await testHost({ allowLeaks: true });
  const argv = driverArgv('/opt/lichen', (path) => host.fixture(path));
  const { stdout, stderr } = await host.run(argv, { timeoutMs: 3_600_000 });
  process.stderr.write(stderr);
  stdout.split('\n').filter(Boolean).forEach(collect);
} else {
  const [program = '', ...args] = [...(enter ?? []), ...driverArgv(REPOSITORY, (path) => path)];
  const driver = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const line of createInterface({ input: driver.stdout })) collect(line);
}

process.stdout.write(`${formatTable(results)}\n`);
if (phases.length > 0) process.stdout.write(`\n${formatPhases(phases)}\n`);
process.exitCode = results.length === 0 || missesBudget(results) ? 1 : 0;

function driverArgv(repository: string, inside: (path: string) => string): readonly string[] {
  const assignment: Assignment = {
    engines: [
      { name: 'lichen', program: join(repository, 'bin/lichen') },
      { name: 'podman', program: process.env['LICHEN_BENCH_PODMAN'] ?? 'podman' },
    ],
    material: Object.fromEntries(
      Object.entries(material).map(([key, value]) => [key, key === 'pullReference' ? value : inside(value)]),
    ) as unknown as Material,
    rows,
    ...(Number.isNaN(samples) ? {} : { samples }),
  };
  const node = join(repository, relative(REPOSITORY, process.execPath));
  return [node, '--disable-warning=ExperimentalWarning', join(repository, 'bench/driver.ts'), JSON.stringify(assignment)];
}

async function prepareMaterial(wanted: readonly string[], registryName: string | undefined): Promise<Material> {
  accessSync(join(REPOSITORY, 'bin/lichen'));
  const debian = canMakeDebian && wanted.some((row) => WITH_DEBIAN.includes(row)) ? await plainDebian() : undefined;
  return {
    small: await fixturePath('busybox'),
    ...(wanted.some((row) => WITH_ARCHIVE.includes(row)) ? { largeDocker: await largeArchive('docker-archive') } : {}),
    ...(wanted.includes('load-oci') ? { largeOci: await largeArchive('oci-archive') } : {}),
    ...(registryName === undefined ? {} : { pullReference: `${registryName}/large:latest` }),
    ...(debian === undefined ? {} : { debianRoot: debian.tar, debianRepository: debian.repository }),
  };
}

function collect(line: string): void {
  const result = JSON.parse(line) as { readonly measured?: Measured; readonly phases?: readonly Phase[] };
  if (result.measured !== undefined) results.push(result.measured);
  if (result.phases !== undefined) phases = result.phases;
}
