/** Several lichens at once on the same thing (S04): one wins or all are content, nobody hangs, nothing is left. */
import { expect, test } from 'vitest';
import { canMakeImages, fixturePath } from '../fixtures/build/images.ts';
import { testHost, type CommandResult, type TestHost } from '../host/host.ts';
import { expectNothingLeft, queryStore } from './remains.ts';

const IMAGE = 'localhost/busybox';
const SLEEP = ['sleep', '1000'] as const;
const ROUNDS = 4;

async function loadedHost(): Promise<TestHost> {
  const host = await testHost();
  await host.succeed(['load', '--quiet', '--input', host.fixture(await fixturePath('busybox'))]);
  return host;
}

/** Nobody says anything but what is expected of the loser. */
function expectOnly(results: readonly CommandResult[], losing: RegExp): void {
  for (const { stderr, exitCode } of results) {
    if (exitCode === 0) expect(stderr).toBe('');
    else expect(stderr).toMatch(losing);
  }
}

const succeeded = (results: readonly CommandResult[]) => results.filter(({ exitCode }) => exitCode === 0).length;
const together = (host: TestHost, ...commands: readonly (readonly string[])[]) => Promise.all(commands.map((args) => host.lichen(args)));
const create = (host: TestHost) => host.succeed(['create', '--name', 'one', '--network', 'none', IMAGE, ...SLEEP]);
const run = (host: TestHost) => host.succeed(['run', '--detach', '--name', 'one', '--network', 'none', IMAGE, ...SLEEP]);

test.skipIf(!canMakeImages)('S04: start and start: it runs once', async () => {
  await using host = await loadedHost();
  for (let round = 0; round < ROUNDS; round++) {
    await create(host);
    const results = await together(host, ['start', 'one'], ['start', 'one']);
    expectOnly(results, /already running/);
    expect(succeeded(results)).toBeGreaterThan(0);
    expect(host.processes().filter(({ command }) => command === SLEEP.join(' '))).toHaveLength(1);
    expect(await host.succeed(['exec', 'one', 'echo', 'up'])).toBe('up');
    await expectNothingLeft(host);
  }
});

test.skipIf(!canMakeImages)('stop and rm: it is gone', async () => {
  await using host = await loadedHost();
  for (let round = 0; round < ROUNDS; round++) {
    await run(host);
    const [stop, rm] = await together(host, ['stop', '--time', '0', 'one'], ['rm', '--force', '--time', '0', 'one']);
    expectOnly([stop!], /no such container/);
    expect(rm).toMatchObject({ stdout: 'one\n', stderr: '', exitCode: 0 });
    expect(await host.succeed(['ps', '--all', '--quiet'])).toBe('');
    await expectNothingLeft(host);
  }
});

test.skipIf(!canMakeImages)('rm and rm: both are content', async () => {
  await using host = await loadedHost();
  for (let round = 0; round < ROUNDS; round++) {
    await run(host);
    const results = await together(host, ...Array.from({ length: 3 }, () => ['rm', '--force', '--time', '0', 'one']));
    expect(results.map(({ exitCode, stderr }) => ({ exitCode, stderr }))).toEqual(results.map(() => ({ exitCode: 0, stderr: '' })));
    await expectNothingLeft(host);
  }
});

test.skipIf(!canMakeImages)('stop and start: one after the other, whichever comes first', async () => {
  await using host = await loadedHost();
  for (let round = 0; round < ROUNDS; round++) {
    await run(host);
    const results = await together(host, ['stop', '--time', '0', 'one'], ['start', 'one']);
    expectOnly(results, /already running/);
    const state = await host.succeed(['ps', '--all', '--format', '{{.State}}']);
    const running = host.processes().some(({ command }) => command === SLEEP.join(' '));
    expect(state).toBe(running ? 'running' : 'exited');
    await expectNothingLeft(host);
  }
});

test.skipIf(!canMakeImages)('exec while it is stopped: the command ran, was killed, or was refused', async () => {
  await using host = await loadedHost();
  for (let round = 0; round < ROUNDS; round++) {
    await run(host);
    const execs = Array.from({ length: 3 }, () => ['exec', 'one', 'sleep', '0.05']);
    const [stop, ...results] = await together(host, ['stop', '--time', '0', 'one'], ...execs);
    expect(stop).toMatchObject({ exitCode: 0, stderr: '' });
    for (const { exitCode, stderr } of results) {
      if (![0, 137, 255].includes(exitCode))
        expect({ exitCode, stderr }).toMatchObject({ stderr: expect.stringMatching(/^Error: .+\n$/m) });
    }
    expect(await host.succeed(['ps', '--all', '--format', '{{.State}}'])).toBe('exited');
    await expectNothingLeft(host);
  }
});

test.skipIf(!canMakeImages)('twenty run --rm at once all run', async () => {
  await using host = await loadedHost();
  const results = await Promise.all(Array.from({ length: 20 }, (_, index) => host.lichen(['run', '--rm', IMAGE, 'echo', String(index)])));
  expect(results.map(({ stdout, stderr, exitCode }) => ({ stdout, stderr, exitCode }))).toEqual(
    results.map((_, index) => ({ stdout: `${index}\n`, stderr: '', exitCode: 0 })),
  );
  await expectNothingLeft(host);
});

test.skipIf(!canMakeImages)('fifty containers, four at a time, started and removed twice, leave nothing', async () => {
  await using host = await loadedHost();
  for (const network of ['none', 'pasta']) {
    const names = Array.from({ length: 50 }, (_, index) => `c${index}`);
    await fourAtATime(names, (name) => host.succeed(['run', '-d', '--name', name, '--network', network, IMAGE, 'sleep', '1000']));
    expect((await host.succeed(['ps', '-q'])).split('\n')).toHaveLength(50);
    await fourAtATime(names, (name) => host.succeed(['rm', '--force', '--time', '0', name]));
    await expectNothingLeft(host);
  }
});

async function fourAtATime<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  const waiting = [...items];
  const worker = async (): Promise<void> => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: 4 }, worker));
}

test.skipIf(!canMakeImages)('the same name at once: exactly one gets it', async () => {
  await using host = await loadedHost();
  for (let round = 0; round < ROUNDS; round++) {
    const results = await together(host, ...Array.from({ length: 4 }, () => ['create', '--name', 'one', IMAGE]));
    expect(succeeded(results)).toBe(1);
    expectOnly(results, /the container name "one" is already in use/);
    expect(await host.succeed(['ps', '--all', '--format', '{{.Names}}'])).toBe('one');
    await expectNothingLeft(host);
  }
});

test.skipIf(!canMakeImages)('two loads of one image at once make one image', async () => {
  await using host = await testHost();
  const archive = host.fixture(await fixturePath('layered'));
  for (let round = 0; round < ROUNDS; round++) {
    const results = await together(host, ...Array.from({ length: 3 }, () => ['load', '--quiet', '--input', archive]));
    expect(results.map(({ stdout, stderr, exitCode }) => ({ stdout, stderr, exitCode }))).toEqual(
      results.map(() => ({ stdout: 'Loaded image: localhost/layered:latest\n', stderr: '', exitCode: 0 })),
    );
    expect(queryStore(host, 'SELECT count(*) AS count FROM images')).toEqual([{ count: 1 }]);
    expect(await host.succeed(['run', '--rm', '--network', 'none', 'localhost/layered', 'cat', '/data/kept'])).toBe('lower');
    await host.succeed(['rmi', 'localhost/layered']);
    await expectNothingLeft(host);
  }
});

test.skipIf(!canMakeImages)('a load while the same image is removed: it is whole or not there', async () => {
  await using host = await testHost();
  const archive = host.fixture(await fixturePath('layered'));
  for (let round = 0; round < ROUNDS; round++) {
    await host.succeed(['load', '--quiet', '--input', archive]);
    const [load, rmi] = await together(host, ['load', '--quiet', '--input', archive], ['rmi', '--force', 'localhost/layered']);
    expect(load).toMatchObject({ exitCode: 0, stderr: '' });
    expect(rmi).toMatchObject({ exitCode: 0, stderr: '' });
    if ((await host.succeed(['images', '--quiet'])) === '') continue;
    expect(await host.succeed(['run', '--rm', '--network', 'none', 'localhost/layered', 'cat', '/data/replaced'])).toBe('upper');
    await expectNothingLeft(host);
  }
});
