/** V8's heap in large pages (scripts/large-pages.ts): they are used, nothing is lost in them, and what is not V8's is left alone. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { largePages } from '../../scripts/large-pages.ts';
import { canRunContainers, loadedHost, sh } from '../host/loaded.ts';
import type { TestHost } from '../host/host.ts';

const FIXTURE = join(import.meta.dirname, '../fixtures/heap-pages.ts');
const EINVAL = 22;

function hasLargePages(): boolean {
  try {
    return !readFileSync('/sys/kernel/mm/transparent_hugepage/enabled', 'latin1').includes('[never]');
  } catch {
    return false;
  }
}

describe.skipIf(process.arch !== 'x64')('large pages', () => {
  let directory: string;
  let withThem: Record<string, unknown>;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'lichen-large-pages-'));
    writeFileSync(join(directory, 'large-pages.so'), largePages());
    withThem = run({ LD_PRELOAD: join(directory, 'large-pages.so') });
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  const run = (env: Record<string, string>): Record<string, unknown> =>
    JSON.parse(execFileSync(process.execPath, [FIXTURE], { env, encoding: 'utf8' })) as Record<string, unknown>;

  test.skipIf(!hasLargePages())('the heap is in them', () => {
    expect(run({}).largePageBytes).toBe(0);
    expect(withThem.largePageBytes).toBeGreaterThanOrEqual(4 * 2 ** 20);
  });

  test('what threads write to a heap that grows and shrinks stays', () => {
    expect(withThem.sums).toEqual([0, 0, 0, 0]);
  });

  test('a stranger who asks for just as much as V8 has it to himself, and errors are the kernel’s', () => {
    expect(withThem.leastGapBytes).toBeGreaterThanOrEqual(0x7f000);
    expect(withThem).toMatchObject({ mmapErrno: EINVAL, munmapErrno: EINVAL });
  });
});

describe.skipIf(!canRunContainers)('the tuning of lichen’s own Node', () => {
  let host: TestHost;
  beforeAll(async () => {
    host = await loadedHost();
  });
  afterAll(() => host[Symbol.asyncDispose]());

  test('reaches no program that it starts', async () => {
    const { stdout } = await host.lichen(['unshare', ...sh('env')]);
    expect(stdout).toContain('PATH=');
    expect(stdout).not.toMatch(/LD_PRELOAD|GLIBC_TUNABLES|LICHEN_TUNED/);
  });

  test('leaves alone what the caller has set', async () => {
    const own = { GLIBC_TUNABLES: 'glibc.malloc.arena_max=3' };
    const { stdout } = await host.lichen(['unshare', ...sh('env')], { env: own });
    expect(stdout).toContain('GLIBC_TUNABLES=glibc.malloc.arena_max=3\n');
    expect(stdout).not.toContain('LD_PRELOAD');
  });
});
