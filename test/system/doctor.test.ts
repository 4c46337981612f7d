/** `doctor` on a machine that has all, on one whose store is damaged, and beside a session that runs. Poorer machines: test/environments. */
import { existsSync, readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { canShapeHosts, testHost } from '../host/host.ts';

interface Document {
  readonly verdict: string;
  readonly probes: readonly { readonly name: string; readonly verdict: string; readonly found: string; readonly mend: readonly object[] }[];
}

test.skipIf(!canShapeHosts)('doctor leaves nothing behind, and finds what is wrong with configuration, store and database', async () => {
  await using host = await testHost();
  const verdicts = async (...args: readonly string[]) => {
    const { stdout, exitCode } = await host.lichen([...args, 'doctor', '--json']);
    const { probes } = JSON.parse(stdout) as Document;
    return { exitCode, ...Object.fromEntries(probes.map((one) => [one.name, one])) };
  };
  const sound = await host.lichen(['doctor']);
  expect({ ...sound, stdoutBytes: undefined }).toMatchObject({ stderr: '', exitCode: 0 });
  expect(sound.stdout).toMatch(/^user-ids +ok +65537 ids$/m);
  expect(existsSync(host.path(host.store)), 'no store is begun').toBe(false);
  expect(readdirSync(host.path(host.runDir.replace(/\/lichen$/, '')))).toEqual([]);
  // What was ended may take a moment to be gone.
  await expect.poll(() => host.processes()).toEqual([]);

  await host.succeed(['ps']);
  expect(await verdicts()).toMatchObject({ exitCode: 0, database: { verdict: 'ok', facts: { exists: true } } });
  await host.run(['sh', '-c', `rm ${host.store}/db.sqlite*`]);
  await host.writeFile(`${host.store}/db.sqlite`, 'not a database at all, but long enough to look like one\n'.repeat(100));
  await host.writeFile('/home/tester/.config/containers/containers.conf', '[engine\n');
  expect(await verdicts('--runtime=/nonexistent', '--conmon=/nonexistent')).toMatchObject({
    exitCode: 1,
    database: {
      verdict: 'missing',
      found: expect.stringContaining('file is not a database'),
      mend: [{ advice: expect.stringContaining('Move db.sqlite away') }],
    },
    configuration: { verdict: 'missing', found: expect.stringContaining('containers.conf') },
    runtime: { verdict: 'missing', found: 'default OCI runtime "/nonexistent" not found: invalid argument' },
    monitor: { verdict: 'missing', found: '/nonexistent: not found' },
  });
  await host.run(['rm', '-r', '/home/tester/.config/containers']);
  expect(await verdicts('--conmon=embedded')).toMatchObject({
    monitor: { verdict: 'ok', found: 'the one that lichen brings along, 15 to 20 MB for each container' },
  });
  const asked = await host.lichen(['doctor', '--json'], { env: { LICHEN_RUNTIME: '/nowhere' } });
  expect((JSON.parse(asked.stdout) as Document).probes.find(({ name }) => name === 'runtime')).toMatchObject({
    verdict: 'missing',
    found: 'default OCI runtime "/nowhere" not found: invalid argument',
  });
  await host.asRoot(['chown', '1234:1234', host.store]);
  expect(await verdicts()).toMatchObject({
    exitCode: 1,
    store: { verdict: 'missing', found: `${host.store} belongs to uid 1234, not to you` },
  });

  for (const args of [['--json', '--fix-plan'], ['word'], ['--nonsense']]) {
    const { stdout, stderr, exitCode } = await host.lichen(['doctor', ...args]);
    expect({ stdout, exitCode }, stderr).toEqual({ stdout: '', exitCode: 125 });
    expect(stderr).toMatch(/^Error: .*(exclude each other|no arguments|unknown flag)/);
  }
  const plan = await host.lichen(['--root=/tmp/elsewhere', 'doctor', '--fix-plan']);
  expect({ ...plan, stdout: undefined, stdoutBytes: undefined }).toEqual({ stderr: '', exitCode: 0 });
  expect(existsSync(host.path('/tmp/elsewhere'))).toBe(false);
  await host.writeFile('/tmp/plan.sh', plan.stdout);
  expect((await host.run(['sh', '-n', '/tmp/plan.sh'])).exitCode).toBe(0);
});

test.skipIf(!canShapeHosts)('where conmon is missing doctor says what lichen’s own monitor holds in memory', async () => {
  await using host = await testHost({ without: ['conmon'], env: { LICHEN_MONITOR: undefined } });
  const { probes } = JSON.parse((await host.lichen(['doctor', '--json'])).stdout) as Document;
  expect(probes.find(({ name }) => name === 'monitor')).toMatchObject({
    verdict: 'degraded',
    found: 'conmon is not installed',
    loss: 'each container that runs holds 15 to 20 MB more: the monitor of lichen takes its place',
  });
});
