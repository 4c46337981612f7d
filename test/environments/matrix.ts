/** Each row of the matrix: what doctor says, and a container's life from load to rm, or the one error that there is instead. */
import { expect, test } from 'vitest';
import { canMakeImages, fixturePath } from '../fixtures/build/images.ts';
import { expectNothingLeft } from '../fault/remains.ts';
import { canShapeHosts, freePort, testHost, type CommandResult, type TestHost } from '../host/host.ts';
import { BUSYBOX } from '../host/loaded.ts';
import { ROWS, type Row } from './rows.ts';

/** One of `files` test files of the matrix, so that several run at once: each takes its share of the rows. */
export function testRows(file: number, files: number): void {
  const rows = Object.entries(ROWS).filter((_, index) => index % files === file);
  for (const [title, row] of rows) {
    test.skipIf(!canMakeImages || !canShapeHosts)(title, async () => {
      await using host = await testHost(row.options);
      await row.prepare?.(host);
      const lichen = (args: readonly string[]): Promise<CommandResult> => host.run([...(row.within ?? []), 'lichen', ...args]);
      await expectDiagnosis(row, lichen);
      const archive = host.fixture(await fixturePath('busybox'));
      if (row.refused) await expectRefusal(row.refused, host, archive);
      else await expectLife(row, archive, lichen);
      if (row.within) await host.run([...row.within.slice(0, 1), 'rm', '--force', '--time', '0', 'outer']);
      if (!row.refused && !row.within) await expectNothingLeft(host);
    });
  }
}

interface Diagnosis {
  readonly verdict: string;
  readonly probes: readonly { readonly name: string; readonly verdict: string; readonly found: string }[];
}

type Lichen = (args: readonly string[]) => Promise<CommandResult>;

async function expectDiagnosis({ doctor, refused }: Row, lichen: Lichen): Promise<void> {
  const { stdout, stderr, exitCode } = await lichen(['doctor', '--json']);
  expect(stderr).toBe('');
  const { verdict, probes } = JSON.parse(stdout) as Diagnosis;
  const found = new Map(probes.map((probe) => [probe.name, probe.verdict]));
  const lacks = probes.map((probe) => `${probe.name} ${probe.verdict}: ${probe.found}`).join('\n');
  expect(Object.fromEntries(Object.keys(doctor).map((name) => [name, found.get(name)])), lacks).toEqual(doctor);
  const stopped = refused !== undefined;
  expect({ stopped: verdict === 'missing', exitCode }, lacks).toEqual({ stopped, exitCode: stopped ? 1 : 0 });
}

async function expectLife({ says, saysFirst, network }: Row, archive: string, lichen: Lichen): Promise<void> {
  const succeed = async (args: readonly string[], expected?: RegExp): Promise<string> => {
    const { stdout, stderr, exitCode } = await lichen(args);
    const words = expected === undefined ? '' : expect.stringMatching(expected);
    expect({ args, exitCode, stderr: stderr.trimEnd() }).toEqual({ args, exitCode: 0, stderr: words });
    return stdout.trimEnd();
  };
  await succeed(['load', '--quiet', '--input', archive], saysFirst);
  const port = await freePort();
  const published = network === false ? [] : [`--publish=127.0.0.1:${port}:80`];
  const script = 'echo begun; echo served > /index.html; exec httpd -f -p 80 -h /';
  await succeed(['run', '--detach', '--name=one', ...published, BUSYBOX, 'sh', '-c', script], says);
  expect(await succeed(['exec', 'one', 'cat', '/index.html'])).toBe('served');
  expect(await succeed(['logs', 'one'])).toBe('begun');
  if (network !== false) await expect.poll(() => fetchText(`http://127.0.0.1:${port}/`)).toBe('served\n');
  await succeed(['stop', '--time=0', 'one']);
  expect(await succeed(['ps', '--all', '--format={{.Names}} {{.State}}'])).toBe('one exited');
  await succeed(['rm', 'one']);
  expect(await succeed(['run', '--rm', '--rootfs', '/:O', '/bin/echo', 'hello'])).toBe('hello');
}

async function fetchText(url: string): Promise<string> {
  try {
    return await (await fetch(url)).text();
  } catch (error) {
    return String(error);
  }
}

/** No container is begun, and none is left. */
async function expectRefusal(words: RegExp, host: TestHost, archive: string): Promise<void> {
  await host.lichen(['load', '--quiet', '--input', archive]);
  const { stdout, stderr, exitCode } = await host.lichen(['run', '--rm', '--network=none', BUSYBOX, 'echo', 'hello']);
  expect({ stdout, stderr, exitCode }).toEqual({ stdout: '', stderr: expect.stringMatching(words), exitCode: 125 });
  expect(await host.leaks()).toEqual([]);
}
