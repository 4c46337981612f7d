/** Hostile Dockerfiles, and what they fetch: clear errors with a line, and nothing of the machine is read, run or filled. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CommandResult, TestHost } from '../host/host.ts';
import { canRunContainers, loadedHost, sh } from '../host/loaded.ts';

let host: TestHost;
let cwd: string;
let server: Server;
let web: string;

async function build(dockerfile: string | Uint8Array, ...flags: readonly string[]): Promise<CommandResult> {
  return await host.lichen(['build', '-q', '--pull=never', '--network=none', '-f', '-', ...flags, '.'], {
    cwd,
    input: dockerfile,
    timeoutMs: 60_000,
  });
}

const firstLine = ({ stderr }: CommandResult): string => stderr.split('\n')[0]!;

describe.skipIf(!canRunContainers)('a Dockerfile', () => {
  beforeAll(async () => {
    host = await loadedHost();
    cwd = `${host.user.home}/context`;
    await host.writeFile(`${cwd}/dir/file`, 'of the context\n');
    await host.writeFile(`${host.user.home}/outside/secret`, 'of the machine\n');
    await host.run(sh(`ln -s ${host.user.home}/outside out; ln -s ../../../../../../.. dir/up`), { cwd });
    server = createServer((request, response) => {
      if (request.url === '/to-file') response.writeHead(302, { location: `file://${host.user.home}/outside/secret` }).end();
      else if (request.url === '/loop') response.writeHead(302, { location: '/loop' }).end();
      else if (request.url === '/bomb.tar.gz') response.end(gzipSync(Buffer.alloc(2 ** 20)));
      else response.end('of the web\n');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    web = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    server.close();
    await host[Symbol.asyncDispose]();
  });

  test('C08: mounts of RUN show the context and nothing above it, and what was mounted upon is not removed', async () => {
    const missing = /-:2:5: "[^"]*": no such file or directory/;
    for (const source of ['out', 'out/secret', 'dir/up/home'])
      expect(firstLine(await build(`FROM localhost/busybox\nRUN --mount=type=bind,source=${source},target=/m true`))).toMatch(missing);
    const { stdout, stderr } = await build(`FROM localhost/busybox
RUN --mount=type=bind,source=../..,target=/m test -e /m/dir/file && ! test -e /m/outside && ! touch /m/written 2> /dev/null
RUN --mount=type=bind,rw,source=dir,target=/m,bind-propagation=rshared rm /m/file && touch /m/new && ! mount -t tmpfs t /m 2> /dev/null
RUN --mount=type=cache,id=../../../../../tmp/escaped,target=/c touch /c/cached && ln -s ${host.user.home}/outside /c/out
RUN --mount=type=cache,id=../../../../../tmp/escaped,target=/c test -f /c/cached && ! test -e /c/out/secret
RUN mkdir -p ${host.user.home}/outside && ln -s ${host.user.home}/outside /m
RUN --mount=type=tmpfs,target=/m/inside true`);
    expect(stderr).toBe('');
    expect(
      (
        await host.run(sh(`find . ../outside /tmp -name escaped -o -name new -o -name written -o -name secret -o -name file`), { cwd })
      ).stdout
        .trim()
        .split('\n')
        .toSorted(),
    ).toEqual(['../outside/secret', './dir/file']);
    expect(await host.succeed(['run', '--rm', '--network', 'none', stdout.trim(), ...sh('readlink /m; ls -A /m/')])).toBe(
      `${host.user.home}/outside`,
    );
    for (const words of [
      'type=cache,source=/bin,target=/c',
      'type=bind,target=/',
      'type=bind,target=/m,exec=1',
      'type=cache,target=/c,mode=9',
    ])
      expect(firstLine(await build(`FROM localhost/busybox\nRUN --mount=${words} true`))).toMatch(/^Error: -:2:5: /);
  });

  test('C09: no frontend is run', async () => {
    const { exitCode } = await build(`# syntax=127.0.0.1:1/frontend:latest\nFROM localhost/busybox\n`);
    expect(exitCode).toBe(0);
  });

  test.each([
    ['100 MB', () => Buffer.alloc(100 * 2 ** 20, 'RUN true\n'), /^Error: -: a Dockerfile has at most 4 MiB/],
    ['nothing', () => '\n', /^Error: no contents in "-"$/],
    ['no FROM', () => 'RUN true', /^Error: -:1:1: no build stage/],
    ['no UTF-8', () => Buffer.from('FROM x\nRUN \xff', 'latin1'), /^Error: -: not a text in UTF-8$/],
    [
      'stages that take files from each other',
      () => 'FROM localhost/busybox AS a\nCOPY --from=b /x /\nFROM localhost/busybox AS b\nCOPY --from=a /x /\n',
      /^Error: -:2:13: circular dependency detected on stage: b$/,
    ],
    ['stages in a circle', () => 'FROM second AS first\nFROM first AS second\n', /second/],
    [
      'a stage of itself',
      () => 'FROM localhost/busybox AS a\nCOPY --from=a /x /x\n',
      /^Error: -:2:13: circular dependency detected on stage: a$/,
    ],
    [
      'a here-document without an end',
      () => 'FROM localhost/busybox\nRUN <<EOF\ntrue\n',
      /^Error: -:2:5: unterminated heredoc: no line says EOF$/,
    ],
    ['a bad escape', () => '# escape=x\nFROM scratch\n', /^Error: -:1:3: invalid escape token 'x'/],
    ['a program of ONBUILD in ONBUILD', () => 'FROM scratch\nONBUILD ONBUILD RUN true\n', /^Error: -:2:9: Chaining ONBUILD/],
    ['a flag that there is not', () => 'FROM scratch\nCOPY --chwon=1 a /\n', /^Error: -:2:6: unknown flag: --chwon/],
    ['an instruction that there is not', () => 'FROM scratch\nCPOY a /\n', /^Error: -:2:1: unknown instruction: CPOY$/],
    ['a substitution without an end', () => 'FROM scratch\nENV A=${B\n', /^Error: -:2:\d+: /],
    ['substitutions in each other', () => `FROM scratch\nENV A=${'${A:-'.repeat(5000)}x${'}'.repeat(5000)}\n`, /^Error: -:2:\d+: /],
  ])('C11: %s is an error with its place', async (_, text, message) => {
    const result = await build(text());
    expect({ exitCode: result.exitCode, line: firstLine(result) }).toEqual({ exitCode: 125, line: expect.stringMatching(message) });
    expect(result.stderr).not.toMatch(/^ +at /m);
  });

  test('C11: odd ones build: a mark of bytes, carriage returns, thousands of stages, variables that grow', async () => {
    expect((await build('\uFEFFFROM localhost/busybox\r\nENV A=1 \\\r\n  B=2\r\n')).exitCode).toBe(0);
    const stages = Array.from({ length: 50_000 }, (_, index) => `FROM scratch AS s${index}`).join('\n');
    expect((await build(`${stages}\nFROM localhost/busybox\nLABEL stages=many\n`)).exitCode).toBe(0);
    const growing = `FROM localhost/busybox\nENV A=${'x'.repeat(1000)}\n${'ENV A=$A$A$A$A\n'.repeat(12)}`;
    expect(firstLine(await build(growing))).toMatch(/^Error: -:\d+:\d+: variables make the word longer than 1 MiB$/);
  });

  test('C12: ADD follows no redirect to a file or in circles, holds to its checksum, and unpacks nothing of the web', async () => {
    const failure = async (line: string): Promise<string> => firstLine(await build(`FROM localhost/busybox\n${line}\n`));
    expect(await failure(`ADD ${web}/to-file /x`)).toMatch(/^Error: -:2:5: .*(redirect|protocol|file:)/);
    expect(await failure(`ADD ${web}/loop /x`)).toMatch(/^Error: -:2:5: .*redirect/);
    expect(await failure(`ADD --checksum=sha256:${'0'.repeat(64)} ${web}/x /x`)).toMatch(/-:2:88: unexpected response digest/);
    expect(await failure('ADD file:///etc/passwd /x')).toMatch(/-:2:5: .*no such file or directory/);
    const { stdout } = await build(`FROM localhost/busybox\nADD ${web}/bomb.tar.gz /packed/\n`);
    expect(
      await host.succeed(['run', '--rm', '--network', 'none', stdout.trim(), ...sh('ls /packed; head -c2 /packed/* | od -An -tx1')]),
    ).toBe('bomb.tar.gz\n 1f 8b');
    // A stage is named before an image of that name.
    const stage = await build(
      'FROM scratch AS localhost-busybox\nCOPY dir/file /etc/passwd\nFROM localhost/busybox\nCOPY --from=localhost-busybox /etc/passwd /passwd\n',
    );
    expect(await host.succeed(['run', '--rm', '--network', 'none', stage.stdout.trim(), 'cat', '/passwd'])).toBe('of the context');
  });
});
