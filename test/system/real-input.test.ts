/** What people run: a Debian root with nginx and redis, imported as it is, serving and keeping real data. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { builtDebian, canMakeDebian } from '../fixtures/build/debian.ts';
import { hexOf } from '../fixtures/build/image.ts';
import { freePort, testHost, type TestHost } from '../host/host.ts';
import { removeNow } from '../host/loaded.ts';

const DEBIAN_MINUTES = 10 * 60_000;
const SITE = '/tmp/site';
const CONFIGURATION = `server { listen 80; root /var/www/html; access_log /dev/stdout; }\n`;

describe.skipIf(!canMakeDebian)('a Debian root made by debootstrap', () => {
  let host: TestHost;

  beforeAll(async () => {
    const built = await builtDebian();
    host = await testHost();
    const tar = host.fixture(join(built.directory, 'tar', hexOf(built.diffIds[0]!)));
    await host.succeed(['import', '--change', 'CMD ["bash"]', tar, 'real:latest'], { timeoutMs: 120_000 });
    await host.writeFile(`${SITE}/index.html`, '<p>first page</p>\n');
    await host.writeFile('/tmp/nginx.conf', CONFIGURATION);
  }, DEBIAN_MINUTES);
  afterAll(() => host[Symbol.asyncDispose]());

  test('is what was imported: setuid programs, owners, users', async () => {
    const stat = "stat -c '%U:%G %a' /usr/bin/passwd /var/lib/redis /var/log/nginx";
    const facts = `${stat}; getent passwd redis www-data | cut -d: -f1; dpkg-query -W -f '\${Status}' redis-server`;
    expect(await host.succeed(['run', '--rm', '--network=none', 'real', 'bash', '-c', facts])).toBe(
      'root:root 4755\nredis:redis 750\nroot:adm 755\nredis\nwww-data\ninstall ok installed',
    );
  });

  test.each(['pasta', 'slirp4netns'])('nginx serves a directory of the host through %s; its log is followed', async (network) => {
    const port = await freePort();
    const mounts = ['-v', `${SITE}:/var/www/html:ro`, '-v', '/tmp/nginx.conf:/etc/nginx/sites-enabled/default:ro'];
    const published = ['--network', network, '-p', `127.0.0.1:${port}:80`];
    await host.succeed(['run', '-d', '--name=web', ...published, ...mounts, 'real', 'nginx', '-g', 'daemon off;']);
    await using follower = host.spawnLichen(['logs', '--follow', 'web']);

    const page = (path = '') => answer(`http://127.0.0.1:${port}/${path}`);
    await expect.poll(() => page(), { timeout: 15_000 }).toBe('200 <p>first page</p>\n');
    await host.writeFile(`${SITE}/second.html`, 'made meanwhile\n');
    expect(await page('second.html')).toBe('200 made meanwhile\n');
    expect(await page('absent.html')).toMatch(/^404 /);
    await follower.waitForOutput(/"GET \/second\.html HTTP\/1\.1" 200 [^]*"GET \/absent\.html HTTP\/1\.1" 404 /);

    expect(await host.lichen(['exec', 'web', 'nginx', '-v'])).toMatchObject({
      exitCode: 0,
      stderr: expect.stringMatching(/^nginx version: nginx\/\d/),
    });
    expect(await host.succeed(['exec', 'web', 'sh', '-c', 'touch /var/www/html/x 2>&1 || id -un'])).toMatch(/Read-only file system\nroot$/);
    expect(await host.succeed(['port', 'web'])).toBe(`80/tcp -> 127.0.0.1:${port}`);

    await host.succeed(['stop', 'web']);
    expect(await host.succeed(['inspect', '--format', '{{.State.ExitCode}}', 'web'])).toBe('0');
    expect((await follower.finish(20_000)).exitCode).toBe(0);
    await expect(answer(`http://127.0.0.1:${port}/`)).rejects.toThrow();
    await removeNow(host, 'web');
  });

  test('redis finds its data in the volume after it was killed', async () => {
    const server = ['redis-server', '--dir', '/var/lib/redis', '--appendonly', 'yes', '--appendfsync', 'always', '--save', ''];
    await host.succeed(['run', '-d', '--name=store', '--network=none', '-u', 'redis', '-v', 'data:/var/lib/redis', 'real', ...server]);
    const redis = (...words: readonly string[]) => host.lichen(['exec', 'store', 'redis-cli', ...words]);
    await expect.poll(async () => (await redis('ping')).stdout, { timeout: 15_000 }).toBe('PONG\n');
    for (let number = 0; number < 20; number++) expect((await redis('set', `key${number}`, `value ${number}`)).stdout).toBe('OK\n');

    const pid = await host.succeed(['inspect', '--format', '{{.State.Pid}}', 'store']);
    expect((await host.asRoot(['kill', '-KILL', pid])).exitCode).toBe(0);
    expect(await host.succeed(['wait', 'store'])).toBe('137');
    await host.succeed(['start', 'store']);
    await expect.poll(async () => (await redis('get', 'key19')).stdout, { timeout: 15_000 }).toBe('value 19\n');
    expect((await redis('dbsize')).stdout).toBe('20\n');

    // Another container finds it, too, and the volume outlives both.
    await removeNow(host, 'store');
    expect(
      await host.succeed(['run', '--rm', '--network=none', '-v', 'data:/data:ro', 'real', 'sh', '-c', 'grep -rlc key19 /data | wc -l']),
    ).toBe('1');
    await host.succeed(['volume', 'rm', 'data']);
  });

  test('a full-size program runs in a terminal', async () => {
    await using shell = host.spawnLichen(['run', '--rm', '-it', '--network=none', 'real'], { tty: true });
    await shell.waitForOutput(/root@[0-9a-f]{12}:\/# /);
    shell.write('perl -e "print 6 * 7, chr(10)"\r');
    await shell.waitForOutput(/42\r\n/);
    shell.write('exit\r');
    expect((await shell.finish()).exitCode).toBe(0);
  });
});

async function answer(url: string): Promise<string> {
  const response = await fetch(url, { signal: AbortSignal.timeout(10_000), headers: { connection: 'close' } });
  return `${response.status} ${await response.text()}`;
}
