import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestHost } from '../host/host.ts';
import { canRunContainers, loadedHost, removeNow, sh } from '../host/loaded.ts';

describe.skipIf(!canRunContainers)('export', () => {
  let host: TestHost;
  beforeAll(async () => {
    host = await loadedHost(['busybox', 'layered']);
  });
  afterAll(() => host[Symbol.asyncDispose]());

  const home = (name: string) => `${host.user.home}/${name}`;
  /** Mode, owner, type, links and contents of everything in the container's root, as it sees it. */
  const LOOK =
    'cd / && find . -xdev \\( -path ./proc -o -path ./sys -o -path ./dev -o -path ./run -o -path ./etc -o -path ./bin \\) -prune -o -print | sort | while read -r f; do stat -c "%n %f %u:%g %h %t:%T %Y" "$f"; [ -f "$f" ] && md5sum < "$f"; readlink "$f"; done; true';
  const look = (image: string) => host.succeed(['run', '--rm', '--network', 'none', image, ...sh(LOOK)]);
  const members = async (archive: string) =>
    (await host.run(['tar', '--numeric-owner', '-tvf', archive])).stdout.split('\n').map((line) => line.split(/ +/).slice(5).join(' '));

  test('an imported export is the same tree: links, owners, modes, capabilities, odd names, what was removed', async () => {
    await host.succeed([
      'run',
      '--name',
      'changed',
      '--network',
      'none',
      'layered',
      ...sh('rm /data/kept; echo new > /data/new; ln /data/new /data/link; mkfifo /pipe; chown 12:34 /data/new'),
    ]);
    const { stdout, stderr, exitCode } = await host.lichen(['export', '-o', home('c.tar'), 'changed']);
    expect({ stdout, stderr, exitCode }).toEqual({ stdout: '', stderr: '', exitCode: 0 });
    await host.succeed(['import', '-q', home('c.tar'), 'again']);
    const before = await host.succeed([
      'run',
      '--rm',
      '--network',
      'none',
      'layered',
      ...sh(`rm /data/kept; echo new > /data/new; ln /data/new /data/link; mkfifo /pipe; chown 12:34 /data/new; ${LOOK}`),
    ]);
    // An overlay counts a directory's links otherwise, and what was made twice was made at two times.
    const still = (text: string) =>
      text.replaceAll(/^(.* 4[0-9a-f]{3} \d+:\d+) \d+/gm, '$1').replaceAll(/^(\.\/data(\/new|\/link)?|\.\/pipe|\.) (.*) \d+$/gm, '$1 $3');
    expect(still(await look('again'))).toBe(still(before));
    const xattr = (archive: string) =>
      host.run(['sh', '-c', `tar --xattrs --xattrs-include='*' -tvvf ${archive} | grep -A1 '^-.*\\*' | grep -o 'x: .*'`]);
    expect((await xattr(home('c.tar'))).stdout).toContain('security.capability');
    const second = await host.succeed(['create', '--network', 'none', 'again', 'true']);
    const first = readFileSync(host.path(home('c.tar')));
    const { stdoutBytes } = await host.lichen(['export', second]);
    expect(stdoutBytes.equals(first)).toBe(true);
    await removeNow(host, 'changed', second);
  });

  test('a running container is exported as it is now, without its mounts, and goes on running', async () => {
    await host.succeed(['run', '--detach', '--name', 'live', '--network', 'none', '--volume', '/vol', 'busybox', 'sleep', '1000']);
    await host.succeed(['exec', 'live', 'sh', '-c', 'echo inside > /file; echo hidden > /vol/file']);
    await host.succeed(['export', '--output', home('live.tar'), 'live']);
    const names = await members(home('live.tar'));
    expect(names).toContain('file');
    expect(names).toContain('vol/');
    expect(names.filter((name) => /^(vol|proc|sys|dev)\/./.test(name))).toEqual([]);
    expect(await host.succeed(['exec', 'live', 'cat', '/file'])).toBe('inside');
    await removeNow(host, 'live');
  });

  test('what is not running is not left mounted, and a file is written whole or not at all', async () => {
    const id = await host.succeed(['create', '--network', 'none', 'busybox', 'true']);
    writeFileSync(host.path(home('old.tar')), 'old');
    await host.succeed(['export', '-o', home('old.tar'), id]);
    expect(await members(home('old.tar'))).toContain('bin/busybox');
    expect((await host.run(['cat', '/proc/self/mountinfo'])).stdout).not.toContain(id);
    expect(existsSync(host.path(`${host.store}/containers/${id}/merged`))).toBe(false);
    const refusals: [string[], string][] = [
      [['nosuch'], 'no container with name or ID "nosuch" found: no such container'],
      [['-o', 'no/x', id], 'open no/x: no such file or directory'],
      [['-o', '/', id], 'open /: is a directory'],
      [['-o', 'a:b', id], `invalid filename (should not contain ':') "a:b"`],
    ];
    for (const [argv, message] of refusals) {
      expect(await host.lichen(['export', ...argv])).toMatchObject({ stdout: '', stderr: `Error: ${message}\n`, exitCode: 125 });
    }
    const { stdout } = await host.lichen(['export', id], { tty: true });
    expect(stdout).toBe('Error: refusing to export to terminal. Use -o flag or redirect\r\n');
    expect(existsSync(host.path(home('a:b')))).toBe(false);
    await removeNow(host, id);
  });

  test('import takes it from a URL, and compressed', async () => {
    const id = await host.succeed(['create', '--network', 'none', 'busybox', 'true']);
    const { stdoutBytes } = await host.lichen(['export', id]);
    const server = createServer((request, response) => {
      if (request.url === '/moved') response.writeHead(302, { location: '/ctr.tar.gz' }).end();
      else if (request.url === '/ctr.tar.gz') response.end(gzipSync(stdoutBytes));
      else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const flags = ['--change', 'CMD ["echo","from afar"]', '--message', 'far', '--os', 'linux', '--arch', 'amd64', '--variant', 'v3'];
      const imported = await host.lichen(['import', ...flags, `${url}/moved`, 'far:1']);
      expect(imported.stdout).toMatch(new RegExp(`^Downloading from "${url}/moved"\nsha256:[0-9a-f]{64}\n$`));
      expect(await host.succeed(['image', 'inspect', '--format', '{{.Os}} {{.Architecture}} {{.Comment}}', 'far:1'])).toBe(
        'linux amd64 far',
      );
      expect(await host.succeed(['run', '--rm', '--network', 'none', 'far:1'])).toBe('from afar');
      expect((await host.lichen(['import', '-q', `${url}/nothing`])).stderr).toBe(`Error: downloading ${url}/nothing: status 404\n`);
    } finally {
      server.close();
    }
    await removeNow(host, id);
  });
});
