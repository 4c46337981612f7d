/** Hostile image configs, I01–I09, as an ordinary user meets them: `load`, then `run`. One host for all. */
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { digestOf } from '../../storage/verify.ts';
import { configDocument, hostileArchive, type HostileImage } from '../fixtures/images/hostile.ts';
import { canMakeImages } from '../fixtures/build/images.ts';
import { tarOf, type Member } from '../fixtures/tar/build.ts';
import { testHost, type CommandResult, type TestHost } from '../host/host.ts';
import { expectNothingLeft, queryStore } from './remains.ts';

const PATH = 'PATH=/bin';
const REFERENCE = 'localhost/hostile:latest';
type Given = Omit<HostileImage, 'reference'>;

describe.skipIf(!canMakeImages)('an image whose config', () => {
  let host: TestHost;
  beforeAll(async () => {
    // What an image must never see.
    host = await testHost({ env: { HOST_SECRET: 'leaked', FOO: 'leaked' } });
  });
  afterAll(async () => {
    await expectNothingLeft(host);
    await host[Symbol.asyncDispose]();
  });

  async function load(image: Given): Promise<CommandResult> {
    return host.lichen(['load', '--quiet'], { input: await hostileArchive({ reference: REFERENCE, ...image }) });
  }

  async function run(image: Given, args: readonly string[] = [], flags: readonly string[] = []): Promise<CommandResult> {
    const loaded = await load(image);
    if (loaded.exitCode !== 0) return loaded;
    return host.lichen(['run', '--rm', '--network', 'none', ...flags, REFERENCE, ...args]);
  }

  const config = (settings: object, ...members: Member[]): Given => ({
    config: { Env: [PATH], ...settings },
    ...(members.length === 0 ? {} : { layers: [tarOf(members)] }),
  });

  test('I01: sets only KEY=VALUE; the environment of the host is never read', async () => {
    const Env = [PATH, '*', 'HOST*', 'FOO', '=', '', '=x', 'LD_PRELOAD=/x.so', 'A=b=c'];
    const { stdout, exitCode } = await run({ config: { Env } }, ['env']);
    expect(exitCode).toBe(0);
    expect(stdout.split('\n')).toEqual(expect.arrayContaining([PATH, 'LD_PRELOAD=/x.so', 'A=b=c']));
    expect(stdout).not.toMatch(/leaked|^FOO|^=|\*/m);
  });

  test.each([
    ['a value of 1 MB', [`BIG=${'x'.repeat(2 ** 20)}`], 126, 'argument list too long'],
    ['a NUL', ['A=b\0c'], 125, 'zero byte'],
  ])('I01: with %s in its Env is refused', async (_, env, exitCode, message) => {
    expect(await run({ config: { Env: [PATH, ...env] } }, ['env'])).toMatchObject({ exitCode, stderr: expect.stringContaining(message) });
  });

  // Each of them has a line of that name in passwd that would make it root.
  test.each(['4294967296', '-1', '0x0', '18446744073709551616', '2147483648', '1000:99999999999'])(
    'I02: with User %j never falls back to the name',
    async (User) => {
      const names = ['4294967296', '-1', '0x0', '18446744073709551616', '2147483648'];
      const passwd = { path: 'etc/passwd', body: names.map((name) => `${name}:x:0:0::/:/bin/sh\n`).join('') };
      const { exitCode, stderr, stdout } = await run(config({ User }, passwd), ['id']);
      expect({ exitCode, stdout }).toEqual({ exitCode: 126, stdout: '' });
      expect(stderr).toMatch(/^Error: (uids and gids must be in range 0-2147483647|invalid user or group ID "0x0")$/m);
    },
  );

  describe('I03: with a passwd that is', () => {
    const unknown = /^Error: unable to find user worker: no matching entries in passwd file$/m;
    const rows: readonly (readonly [string, Member, RegExp | undefined])[] = [
      ['a link to a host file', { path: 'etc/passwd', type: 'symlink', link: '/../../../../etc/passwd.host' }, unknown],
      ['a FIFO', { path: 'etc/passwd', type: 'fifo' }, unknown],
      ['a directory', { path: 'etc/passwd', type: 'directory' }, unknown],
      ['a link to a device', { path: 'etc/passwd', type: 'symlink', link: '/dev/zero' }, unknown],
      ['larger than 16 MiB', { path: 'etc/passwd', body: Buffer.alloc((16 << 20) + 1, 'a') }, /passwd file is larger than 16777216 bytes/],
      ['without a newline', { path: 'etc/passwd', body: 'worker:x:1000:1000::/:/bin/sh' }, undefined],
      ['full of NULs', { path: 'etc/passwd', body: 'wor\0ker:x:0:0::/:\nworker:x:1000:1000::/:/bin/sh\n' }, undefined],
    ];
    test.each(rows)('%s', async (_, member, refusal) => {
      await host.asRoot(['sh', '-c', "echo 'worker:x:0:0::/:' > /etc/passwd.host"]);
      const { exitCode, stderr, stdout } = await run(config({ User: 'worker' }, { path: 'etc/.wh.passwd' }, member), ['id', '-u']);
      if (refusal === undefined) expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: '1000\n' });
      else {
        expect({ exitCode, stdout }).toEqual({ exitCode: 126, stdout: '' });
        expect(stderr).toMatch(refusal);
      }
    });
  });

  describe('I04: with the WorkingDir', () => {
    const here = ['sh', '-c', 'pwd; ls /proc/self/fd | wc -l'];
    const links: Member[] = [
      { path: 'link', type: 'symlink', link: '/../../../../../../root' },
      { path: 'loop', type: 'symlink', link: 'loop' },
    ];
    test.each([
      ['../..', '/'],
      ['/', '/'],
      ['/proc/self/fd/../../../root', '/root'],
      ['rel/dir', '/rel/dir'],
      ['/link', '/root'],
    ])('%j it starts inside, and holds no descriptor of ours', async (WorkingDir, cwd) => {
      // 0, 1, 2, and the one that ls reads with.
      expect(await run(config({ WorkingDir }, ...links), here)).toMatchObject({ exitCode: 0, stdout: `${cwd}\n4\n` });
    });

    test.each([
      ['/proc/self/fd/7', 127, 'chdir'],
      [`/${'d'.repeat(300)}`, 126, 'file name too long'],
      ['/etc/passwd', 126, 'is not a directory'],
      ['/loop', 126, 'too many levels of symbolic links'],
    ])('%j it is refused', async (WorkingDir, exitCode, message) => {
      const result = await run(config({ WorkingDir }, ...links), here);
      expect(result).toMatchObject({ exitCode, stdout: '', stderr: expect.stringContaining(message) });
    });
  });

  const flood = (count: number, key: (index: number) => string, value: unknown) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [key(index), value]));

  test('I05: of 10^6 labels is refused by its size; 2000 volumes by their number; 100 000 ports are only data', async () => {
    const labels = await load({ config: { Labels: flood(1_000_000, (index) => `k${index}`, 'v') } });
    expect(labels).toMatchObject({ exitCode: 125, stderr: expect.stringContaining('is larger than 4194304 bytes') });
    const volumes = await run(config({ Volumes: flood(2000, (index) => `/v${index}`, {}) }), ['true']);
    expect(volumes).toMatchObject({ exitCode: 125, stderr: expect.stringContaining('declares 2000 volumes; at most 1000') });
    const ExposedPorts = { ...flood(100_000, (index) => `${index}/tcp`, {}), '../x': {}, '70000/tcp': {}, '80/evil': {} };
    expect(await run(config({ ExposedPorts }), ['echo', 'up'])).toMatchObject({ exitCode: 0, stdout: 'up\n' });
  });

  test.each(['/proc', '/proc/sys', '/proc/../proc/self', '/dev'])('I05: with a volume at %s is refused', async (path) => {
    const result = await run(config({ Volumes: { [path]: {} } }), ['true']);
    expect(result).toMatchObject({ exitCode: 125, stderr: expect.stringContaining('declares a volume at') });
  });

  test('I05: has its volumes inside its root, wherever paths and links point', async () => {
    const outside = `${host.user.home}/outside`;
    await host.run(['mkdir', '-p', outside]);
    const links: Member[] = [{ path: 'link', type: 'symlink', link: `/../../../../../..${outside}` }];
    const Volumes = { '/': {}, '../x': {}, '/a:b,c\nd': {}, '/etc/../y': {} };
    const show = ['sh', '-c', 'touch /x/1 /y/1 && ls -d /x /y /a*'];
    expect(await run(config({ Volumes }, ...links), show)).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^\/a:b,c/) });
    await run(config({ Volumes: { '/link': {}, '/link/deeper': {} } }, ...links), ['touch', '/link/1']);
    expect((await host.run(['ls', '-A', outside])).stdout).toBe('');
    expect(existsSync(host.path('/x'))).toBe(false);
  });

  test.each<[string, object, number, string]>([
    ['is empty', { Entrypoint: [], Cmd: [] }, 127, 'no command or entrypoint provided'],
    ['is null', { Entrypoint: null, Cmd: null }, 127, 'no command or entrypoint provided'],
    ['is a string', { Cmd: 'sh' }, 125, 'config.Cmd: Invalid type'],
    ['holds arrays', { Entrypoint: [['sh']] }, 125, 'config.Entrypoint.0: Invalid type'],
    ['holds a NUL', { Cmd: ['sh', '-c', 'a\0b'] }, 125, 'zero byte'],
    ['has one word of 3 MB', { Cmd: ['echo', 'x'.repeat(3 << 20)] }, 126, 'exec: "echo": argument list too long'],
    ['has 3 MB of words', { Cmd: ['echo', ...Array.from({ length: 30_000 }, () => 'x'.repeat(100))] }, 126, 'argument list too long'],
    ['is an empty word', { Cmd: [''] }, 126, 'Error: '],
    ['is a directory', { Cmd: ['/etc'] }, 126, 'Error: '],
    ['is nothing that is there', { Cmd: ['/nope'] }, 127, 'Error: '],
    ['looks like a flag', { Cmd: ['--help'] }, 127, '`--help` not found'],
  ])('I06: has a command that %s ends with the exit status and words for it', async (_, command, exitCode, message) => {
    expect(await run(config(command))).toMatchObject({ exitCode, stdout: '', stderr: expect.stringContaining(message) });
  });

  test.each(['SIGFOO', '999', '-1', '0', '\u001b[2J'])('I07: with StopSignal %j is refused, printed harmlessly', async (StopSignal) => {
    const { exitCode, stderr } = await run(config({ StopSignal }), ['true']);
    expect(exitCode).toBe(125);
    expect(stderr).toMatch(/^Error: invalid signal: [ -~]+\n$/);
  });

  test('I07: with a health check beyond reason runs; the check is kept as it is', async () => {
    for (const check of [
      { Interval: 1, Timeout: 0 },
      { Interval: -5, Timeout: 1e300, Retries: -1 },
    ]) {
      const Healthcheck = { Test: ['CMD-SHELL', 'yes'], ...check };
      expect(await run(config({ Healthcheck }), ['echo', 'up'])).toMatchObject({ exitCode: 0, stdout: 'up\n' });
    }
    const malformed = await load(config({ Healthcheck: { Test: 'x' } }));
    expect(malformed).toMatchObject({ exitCode: 125, stderr: expect.stringContaining('config.Healthcheck.Test') });
  });

  test.each<[string, Record<string, unknown>, string]>([
    ['a rootfs of another type', { rootfs: { type: 'block', diff_ids: [] } }, 'rootfs.type'],
    ['fewer diff_ids than layers', { rootfs: { type: 'layers', diff_ids: [] } }, '1 layers are listed, the config names 0'],
    ['a diff_id that climbs', { rootfs: { type: 'layers', diff_ids: ['sha256:../../x'] } }, 'rootfs.diff_ids.0'],
  ])('I08: has %s is refused and the store does not change', async (_, document, message) => {
    const before = storeOf(host);
    expect(await load({ document })).toMatchObject({ exitCode: 125, stderr: expect.stringContaining(message) });
    expect(storeOf(host)).toEqual(before);
  });

  test('I08: has no or too much history, or dates that cannot be, works and is listed', async () => {
    const history = Array.from({ length: 50 }, () => ({ created_by: 'x', created: '9999-99-99' }));
    for (const document of [{ history: [] }, { history }, { created: '2999-01-01T00:00:00Z' }, { created: 'never' }]) {
      expect(await run({ ...config({}), document }, ['echo', 'up'])).toMatchObject({ exitCode: 0, stdout: 'up\n' });
      for (const verb of [['images'], ['image', 'inspect', REFERENCE]])
        expect(await host.lichen(verb)).toMatchObject({ exitCode: 0, stderr: '' });
    }
  });

  test('I08, G14: is for another platform says so, and cannot steer the terminal', async () => {
    const foreign = await load({ ...config({}), document: { os: 'windows', architecture: 'x\u001b[2J', variant: '\r\u202e' } });
    expect(foreign.exitCode).toBe(0);
    expect(foreign.stderr).toBe('');
    const { stderr } = await host.lichen(['run', '--rm', '--network', 'none', REFERENCE, 'true']);
    expect(stderr).toContain('WARNING: image platform (windows/x\\u001b[2J/\\u000d\\u202e) does not match');
  });

  test('T13: devices of a layer are left out with a notice, sockets and pipes are never opened', async () => {
    const device = { major: 8, minor: 0 };
    const members: Member[] = [
      { path: 'console', type: 'char', device: { major: 5, minor: 1 } },
      { path: 'disk', type: 'block', device },
      { path: 'pipe', type: 'fifo' },
    ];
    const archive = await hostileArchive({ reference: REFERENCE, ...config({}, ...members) });
    const loaded = await host.lichen(['load'], { input: archive });
    expect(loaded).toMatchObject({ exitCode: 0 });
    expect(loaded.stderr).toMatch(/device/);
    const show = ['sh', '-c', 'ls -d /console /disk /pipe 2>/dev/null; true'];
    expect(await host.succeed(['run', '--rm', '--network', 'none', REFERENCE, ...show])).toBe('/pipe');
  });

  test.each([2 ** 31, 2 ** 32 - 1, 2_000_000])(
    'T16: a file of uid %i is refused with the ids there are, and the store does not change',
    async (uid) => {
      const before = storeOf(host);
      const result = await load(config({}, { path: 'x', uid, gid: 0 }));
      expect(result).toMatchObject({ exitCode: 125, stderr: expect.stringMatching(new RegExp(`needs IDs up to ${uid}, there are \\d+`)) });
      expect(storeOf(host)).toEqual(before);
    },
  );

  test('T25: no layers, one layer many times, and more layers than can be', async () => {
    const none = await run({ bare: true }, ['true']);
    expect(none.exitCode).toBeGreaterThanOrEqual(125);
    const layer = tarOf([{ path: 'x', body: 'x' }]);
    expect(await run({ ...config({}), layers: Array<Buffer>(100).fill(layer) }, ['cat', '/x'])).toMatchObject({ exitCode: 0, stdout: 'x' });
    const many = await load({ ...config({}), layers: Array<Buffer>(501).fill(layer) });
    expect(many).toMatchObject({ exitCode: 125, stderr: expect.stringContaining('more than 500') });
  });

  test('I09: a name that could be an id stays a name, and an id prefix that two images share is an error', async () => {
    await load(config({}));
    const id = await host.succeed(['image', 'inspect', '--format', '{{.Id}}', REFERENCE]);
    // Another image takes the first one's short id as its name: the name wins, the longer prefix is still the id.
    const other = { reference: `localhost/${id.slice(0, 12)}:latest`, config: { Env: [PATH], Labels: { other: '1' } } };
    await host.succeed(['load', '--quiet'], { input: await hostileArchive(other) });
    const label = '{{index .Config.Labels "other"}}';
    expect(await host.succeed(['image', 'inspect', '--format', label, `localhost/${id.slice(0, 12)}`])).toBe('1');
    expect(await host.succeed(['image', 'inspect', '--format', '{{.Id}}', id.slice(0, 13)])).toBe(id);

    const twins = Array.from({ length: 17 }, (_, index) => ({
      reference: `localhost/n${index}`,
      config: { Labels: { n: `${index}` } },
      bare: true,
    }));
    const first = (image: HostileImage) => digestOf(configDocument(image, [])).slice(7, 8);
    const twin = twins.find((image, index) => twins.slice(0, index).some((before) => first(before) === first(image)))!;
    for (const image of twins.filter((each) => first(each) === first(twin)))
      await host.succeed(['load', '--quiet'], { input: await hostileArchive(image) });
    const ambiguous = await host.lichen(['rmi', first(twin)]);
    expect(ambiguous.exitCode).not.toBe(0);
    expect(ambiguous.stderr).toMatch(/more than one|ambiguous|not known|multiple/i);
    for (const name of ['<none>', 'x:\u001b[2J', 'localhost/x:a\nb']) {
      const { exitCode, stderr } = await host.lichen(['image', 'inspect', name]);
      expect(exitCode).toBe(125);
      expect(stderr).not.toContain('\u001b');
    }
    await host.succeed(['rmi', '--all', '--force']);
  });

  test('I09, G14: an archive whose tag holds an escape sequence is refused', async () => {
    const archive = await hostileArchive({ reference: 'localhost/x:\u001b[2J' });
    const { exitCode, stderr } = await host.lichen(['load', '--quiet'], { input: archive });
    expect({ exitCode, clean: !stderr.includes('\u001b') }).toEqual({ exitCode: 125, clean: true });
  });
});

function storeOf(host: TestHost): unknown {
  return [queryStore(host, 'SELECT id FROM images ORDER BY id'), queryStore(host, 'SELECT name FROM image_names ORDER BY name')];
}
