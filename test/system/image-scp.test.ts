/** `image scp`, with small programs in the places of ssh and sudo that run what they are given on this machine. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { canMakeImages, fixturePath } from '../fixtures/build/images.ts';
import { testHost, type TestHost } from '../host/host.ts';

const STAND_IN = `#!/bin/sh
printf '%s\\n' "$@" > "$HOME/asked-\${0##*/}"
readlink /proc/self/ns/user > "$HOME/namespace"
cat "$HOME/archive.tar"
exit "$(cat "$HOME/status")"
`;

describe.skipIf(!canMakeImages)('image scp', () => {
  let host: TestHost;
  let env: Readonly<Record<string, string>>;
  beforeAll(async () => {
    host = await testHost();
    const bin = `${host.user.home}/bin`;
    for (const name of ['ssh', 'sudo']) await host.writeFile(`${bin}/${name}`, STAND_IN, 0o755);
    await host.writeFile(`${host.user.home}/archive.tar`, readFileSync(await fixturePath('busybox')));
    await host.writeFile(`${host.user.home}/status`, '0');
    env = { PATH: `${bin}:/opt/lichen/bin:/usr/local/bin:/usr/bin:/bin` };
    // The pause process: neither program may run inside its namespaces.
    await host.succeed(['images']);
  });
  afterAll(() => host[Symbol.asyncDispose]());

  const asked = async (program: string): Promise<readonly string[]> =>
    (await host.readFile(`${host.user.home}/asked-${program}`)).trimEnd().split('\n');

  test('an image comes from another machine through ssh', async () => {
    expect(await host.lichen(['image', 'scp', '--quiet', 'me@far.example::busybox'], { env })).toMatchObject({
      stdout: 'Loaded image: localhost/busybox:latest\n',
      stderr: '',
      exitCode: 0,
    });
    expect(await asked('ssh')).toEqual(['-T', '-l', 'me', '--', 'far.example', expect.stringMatching(/ 'save' '--quiet' 'busybox'$/)]);
    const { stdout: outside } = await host.run(['readlink', '/proc/self/ns/user']);
    expect(await host.readFile(`${host.user.home}/namespace`)).toBe(outside);
    expect(await host.succeed(['run', '--rm', '--network', 'none', 'busybox', 'echo', 'ran'])).toBe('ran');
    await host.succeed(['rmi', 'busybox']);
  });

  test('and from another user of this machine through sudo', async () => {
    const copied = await host.lichen(['image', 'scp', 'root@localhost::busybox'], { env });
    expect(copied).toMatchObject({ stdout: 'Loaded image: localhost/busybox:latest\n', exitCode: 0 });
    const words = await asked('sudo');
    expect([words.slice(0, 5), words.slice(-3)]).toEqual([
      ['--login', '--user', 'root', '--', 'sh'],
      ['sh', 'save', 'busybox'],
    ]);
    await host.succeed(['rmi', 'busybox']);
  });

  test('an end that fails fails the copy', async () => {
    await host.writeFile(`${host.user.home}/status`, '3');
    const { stderr, exitCode } = await host.lichen(['image', 'scp', '-q', 'far.example::busybox'], { env });
    expect({ stderr, exitCode }).toEqual({ stderr: expect.stringMatching(/^Error: ssh .*: exit status 3\n$/), exitCode: 125 });
  });

  test.each([
    [['busybox'], 'must specify a destination: invalid argument'],
    [['a', 'b', 'c'], 'accepts between 1 and 2 arg(s), received 3'],
    [['x@localhost::busybox'], 'user: unknown user x'],
    [['busybox', '-v::'], 'unknown shorthand flag'],
  ])('%j is refused', async (words, message) => {
    const { stderr, exitCode } = await host.lichen(['image', 'scp', ...words], { env });
    expect({ stderr, exitCode }).toEqual({ stderr: expect.stringContaining(message), exitCode: 125 });
  });
});
