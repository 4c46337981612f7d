/** Compiles lichen-ports (network/forward/main.c), where there is a C compiler. Without it pasta forwards ports. */
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { join } from 'node:path';

/** Static, so that it runs with any C library, or where it is small; Fedora has no static one unless asked for. */
const LINKING = [['-static'], []];

export function buildForwarder(root: string, target: string): void {
  const sources = globSync(join(root, 'network/forward/*.c')).toSorted();
  const compiler = process.env['CC'] || 'cc';
  let said = '';
  for (const linking of LINKING) {
    const flags = ['-std=gnu11', '-O2', '-s', ...linking];
    const { status, error, stderr } = spawnSync(compiler, [...flags, '-o', target, ...sources], { encoding: 'utf8' });
    if (status === 0) return;
    if (error !== undefined) return notice(`there is no C compiler (${compiler})`);
    said ||= stderr.trim();
  }
  notice(`${compiler} cannot compile it: ${said.split('\n')[0]}`);
}

function notice(why: string): void {
  process.stderr.write(`build: without lichen-ports, which forwards published ports faster than pasta does: ${why}\n`);
}
