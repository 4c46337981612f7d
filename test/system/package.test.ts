/** What `npm pack` makes is all a machine needs. */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { canShapeHosts, testHost } from '../host/host.ts';

const repository = join(import.meta.dirname, '../..');

/** npm itself, whatever Node runs the tests. */
function npm(args: readonly string[], cwd: string): string {
  return execFileSync('npm', [...args], { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
}

test.skipIf(!canShapeHosts || !existsSync(join(repository, 'dist/main.cjs')))(
  'the packed tarball installs under a prefix and runs a container from there for an ordinary user',
  async () => {
    await using host = await testHost();
    const directory = mkdtempSync(join(tmpdir(), 'lichen-pack-'));
    try {
      const tarball = npm(['pack', '--ignore-scripts', '--pack-destination', directory], repository).trim().split('\n').at(-1)!;
      npm(['install', '--global', '--prefix', join(directory, 'prefix'), join(directory, tarball)], directory);
      const prefix = `${host.user.home}/prefix`;
      cpSync(join(directory, 'prefix'), host.path(prefix), { recursive: true, verbatimSymlinks: true });
      const { stdout, exitCode } = await host.run([
        `${prefix}/bin/lichen`,
        'run',
        '--rm',
        '--network',
        'none',
        '--rootfs',
        '/:O',
        'echo',
        'installed',
      ]);
      expect({ stdout, exitCode }).toEqual({ stdout: 'installed\n', exitCode: 0 });
      const installed = (...words: readonly string[]) => host.run([`${prefix}/bin/lichen`, ...words]);
      await installed('run', '--detach', '--name=web', '--publish=127.0.0.1::80', '--rootfs', '/:O', 'sleep', '60');
      expect((await installed('inspect', '--format={{.NetworkSettings.PortForwarder}}', 'web')).stdout).toBe('lichen-ports\n');
      await installed('rm', '--force', '--time=0', 'web');
    } finally {
      rmSync(directory, { recursive: true });
    }
  },
);
