/**
 * Record what Podman's generator makes of every case, as goldens for quadlet.test.ts. By hand, on a machine with Podman; the word may be several,
 * which start it elsewhere with the same /tmp:
 *
 *   LICHEN_PARITY_RUN='' sh scripts/node.sh test/parity/record-quadlet.ts
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, lstatSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { QUADLET_GOLDENS, quadletCases, unpackCase } from '../fixtures/quadlet/cases.ts';

const GENERATOR = '/usr/libexec/podman/quadlet';
const prefix = (process.env['LICHEN_PARITY_RUN'] ?? '').split(' ').filter(Boolean);
const chosen = process.argv.slice(2);

for (const one of quadletCases()) {
  if (chosen.length > 0 && !chosen.includes(one.name)) continue;
  using unpacked = unpackCase(one);
  const { directory } = unpacked;
  const { status, stdout, stderr } = run(directory, '-dryrun', '-user', '-no-kmsg-log');
  const said = stderr
    .split('\n')
    .filter((line) => line !== '' && !line.includes(': Loading source '))
    .map((line) => line.replace(/^quadlet-generator\[\d+\]: /, ''));
  const text = [`exit ${status}`, ...said, ...links(directory).map((link) => `link ${link}`), '', stdout].join('\n');
  writeFileSync(join(QUADLET_GOLDENS, `${one.name}.txt`), text.replaceAll(directory, '/units'));
}

function links(directory: string): readonly string[] {
  const output = mkdtempSync(join(tmpdir(), 'quadlet-out-'));
  chmodSync(output, 0o777);
  try {
    run(directory, '-user', '-no-kmsg-log', output, output, output);
    return readdirSync(output, { recursive: true, encoding: 'utf8' })
      .filter((path) => lstatSync(join(output, path)).isSymbolicLink())
      .toSorted()
      .map((path) => `${path} -> ${readlinkSync(join(output, path))}`);
  } finally {
    rmSync(output, { recursive: true, force: true });
  }
}

function run(directory: string, ...words: readonly string[]) {
  const [program = '', ...argv] = [...prefix, 'env', `QUADLET_UNIT_DIRS=${directory}`, GENERATOR, ...words];
  return spawnSync(program, argv, { encoding: 'utf8', cwd: '/' });
}
