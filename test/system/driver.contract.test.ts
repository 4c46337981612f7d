import { existsSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { CASES } from '../fixtures/drivers/cases.ts';
import { testHost } from '../host/host.ts';
import { REPOSITORY } from '../host/places.ts';
import { canShapeHosts } from '../host/host.ts';

const MAKES = ['overlay', 'fuse-overlayfs', 'vfs'] as const;
const code = canShapeHosts ? '/opt/lichen' : REPOSITORY;
const canRun = { overlay: true, vfs: true, 'fuse-overlayfs': existsSync('/usr/bin/fuse-overlayfs') && existsSync('/dev/fuse') } as const;

describe.each(MAKES)('%s', (make) => {
  let results: Record<string, string | null>;

  beforeAll(async () => {
    if (!canRun[make]) return;
    await using host = await testHost();
    const inside = ['unshare', '--user', '--mount', '--map-root-user', '--map-auto', '--propagation', 'private'];
    const { stdout, stderr } = await host.run([
      ...inside,
      'sh',
      `${code}/scripts/node.sh`,
      `${code}/test/fixtures/drivers/run.ts`,
      make,
      `${host.user.home}/drivers`,
    ]);
    if (stdout === '') throw new Error(stderr);
    results = JSON.parse(stdout) as Record<string, string | null>;
  });

  test.skipIf(!canRun[make]).each(Object.keys(CASES))('%s', (name) => {
    expect(results[name]).toBeNull();
  });
});
