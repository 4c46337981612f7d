/** Contexts of builds that are no directory: a tar, a Dockerfile alone, a repository, a file of the web; and nothing leads out of any of them. */
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { directory, file, hardlink, symlink, tarBytes, type TarEntry } from '../fixtures/build/tar.ts';
import { freePort, type TestHost } from '../host/host.ts';
import { canRunContainers, loadedHost, sh } from '../host/loaded.ts';

let host: TestHost;
let server: Server;
let web: string;
let git: string;
const served = new Map<string, Buffer>();

const DOCKERFILE = 'FROM localhost/busybox\nCOPY . /context\n';
const tarOf = async (...entries: readonly TarEntry[]): Promise<Buffer> => Buffer.concat(await Array.fromAsync(tarBytes(entries)));

const REPOSITORY = `set -eu
git() { command git -c user.name=t -c user.email=t@localhost -c init.defaultBranch=main "$@"; }
mkdir -p served/lib.git served/app.git && cd served/lib.git && git init -q && echo lib > lib.txt && git add . && git commit -qm lib
cd ../app.git && git init -q && mkdir -p sub .hidden
printf 'FROM localhost/busybox\\nCOPY . /context\\n' | tee Dockerfile > sub/Dockerfile
echo one > version && echo sub > sub/file && ln -s /etc up && ln -s ../../../.. sub/out
git add . && git commit -qm one && git tag v1 && git rev-parse HEAD > ../first
echo two > version && git commit -qam two && git checkout -qb side && echo side > version && git commit -qam side && git checkout -q main`;

describe.skipIf(!canRunContainers)('a context', () => {
  beforeAll(async () => {
    host = await loadedHost();
    expect(await host.run(sh(REPOSITORY))).toMatchObject({ exitCode: 0 });
    const port = await freePort();
    const base = `${host.user.home}/served`;
    const daemon = ['--export-all', '--listen=127.0.0.1', `--port=${port}`, `--base-path=${base}`, '--verbose', base];
    await host.spawn([...sh('exec "$(git --exec-path)/git-daemon" "$@"'), 'git-daemon', ...daemon]).waitForOutput(/Ready to rumble/);
    git = `git://127.0.0.1:${port}`;
    server = createServer((request, response) => {
      const body = served.get(request.url ?? '');
      if (request.url === '/there') response.writeHead(302, { location: '/context.tar' }).end();
      else if (body === undefined) response.writeHead(404).end();
      else response.end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    web = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    server.close();
    await host[Symbol.asyncDispose]();
  });

  /** Names and contents below /context of the image that is built. */
  async function built(words: readonly string[], options: { input?: string | Uint8Array; cwd?: string } = {}): Promise<string> {
    const id = await host.succeed(['build', '-q', ...words], options);
    return await host.succeed([
      'run',
      '--rm',
      '--network',
      'none',
      id,
      ...sh('cd /context && for f in $(find . ! -type d | sort); do echo $f; [ -h $f ] || cat $f; done'),
    ]);
  }

  test('is a tar on stdin, plain or compressed; its Dockerfile may have another name, and what it ignores is left out', async () => {
    const entries = [
      file('Dockerfile', DOCKERFILE),
      file('other/File', `${DOCKERFILE}LABEL other=yes\n`),
      file('.dockerignore', 'ignored\nother\n.dockerignore\n'),
      file('ignored', 'x'),
      file('kept', 'kept\n', 0o644, { uid: 4_000_000_000 }),
    ];
    const tar = await tarOf(...entries);
    const program = async (name: string): Promise<Buffer> => {
      await host.writeFile('/tmp/plain.tar', tar);
      await host.run(sh(`${name} -c /tmp/plain.tar > /tmp/packed`));
      return readFileSync(host.path('/tmp/packed'));
    };
    const expected = ['./Dockerfile', ...DOCKERFILE.trim().split('\n'), './kept', 'kept'].join('\n');
    for (const input of [tar, gzipSync(tar), zstdCompressSync(tar), await program('xz'), await program('bzip2')])
      expect(await built(['-'], { input })).toBe(expected);
    expect(await built(['-f', 'other/File', '-'], { input: tar })).toBe(expected);
  });

  test('is a Dockerfile alone on stdin', async () => {
    expect(await built(['-'], { input: 'FROM localhost/busybox\nCOPY <<EOF /context/here\nhere\nEOF\n' })).toBe('./here\nhere');
    expect((await host.lichen(['build', '-'], { input: 'FROM localhost/busybox\nCOPY missing /\n' })).stderr).toContain(
      'Dockerfile:2:6: checking on sources under "-"',
    );
  });

  test('is a repository: its head, a branch, a tag, a commit, a directory of it', async () => {
    const first = (await host.readFile(`${host.user.home}/served/first`)).trim();
    const version = async (place: string): Promise<string | undefined> =>
      /version\n(.*)/.exec(await built([`${git}/app.git${place}`]))?.[1];
    expect([await version(''), await version('#side'), await version('#v1'), await version(`#${first}`)]).toEqual([
      'two',
      'side',
      'one',
      'one',
    ]);
    expect(await built([`${git}/app.git#main:sub`])).toBe(
      ['./Dockerfile', ...DOCKERFILE.trim().split('\n'), './file', 'sub', './out'].join('\n'),
    );
  });

  test('is a tar or a Dockerfile of the web', async () => {
    served.set('/context.tar', gzipSync(await tarOf(file('Dockerfile', DOCKERFILE), file('web', 'web\n'))));
    served.set('/Dockerfile', Buffer.from('FROM localhost/busybox\nCOPY --from=more web /context/more\n'));
    const expected = ['./Dockerfile', ...DOCKERFILE.trim().split('\n'), './web', 'web'].join('\n');
    expect(await built([`${web}/context.tar`])).toBe(expected);
    expect(await built([`${web}/there`])).toBe(expected);
    expect(await built(['--build-context', `more=${web}/context.tar`, `${web}/Dockerfile`])).toBe('./more\nweb');
  });

  test('ADD takes repositories, and archives by xz and bzip2', async () => {
    const cwd = `${host.user.home}/adding`;
    await host.writeFile(`${cwd}/packed/file`, 'packed\n');
    await host.run(
      sh('tar cJf packed.tar.xz packed && tar cjf packed.tbz2 packed && echo no > broken && xz -c broken | head -c 20 > broken.tar.xz'),
      { cwd },
    );
    const first = (await host.readFile(`${host.user.home}/served/first`)).trim();
    await host.writeFile(
      `${cwd}/Dockerfile`,
      `FROM localhost/busybox
ADD ${git}/lib.git /context/lib/
ADD --keep-git-dir ${git}/lib.git /kept/
ADD --checksum=${first} ${git}/app.git#v1:sub /context/sub/
ADD packed.tar.xz /context/xz/
ADD packed.tbz2 /context/bz/
RUN test -d /kept/.git && test ! -e /context/lib/.git
`,
    );
    expect(await built(['--network', 'none', '.'], { cwd })).toBe(
      [
        './bz/packed/file',
        'packed',
        './lib/lib.txt',
        'lib',
        './sub/Dockerfile',
        ...DOCKERFILE.trim().split('\n'),
        './sub/file',
        'sub',
        './sub/out',
        './xz/packed/file',
        'packed',
      ].join('\n'),
    );
    const failure = async (line: string): Promise<string> => {
      await host.writeFile(`${cwd}/Dockerfile`, `FROM localhost/busybox\n${line}\n`);
      return (await host.lichen(['build', '-q', '.'], { cwd })).stderr.trim();
    };
    expect(await failure(`ADD --checksum=0123456 ${git}/lib.git /x/`)).toMatch(
      /Dockerfile:2:24: expected checksum to match 0123456, got [0-9a-f]{40}$/m,
    );
    expect(await failure(`ADD ${git}/none.git /x/`)).toMatch(/Dockerfile:2:5: git fetch: .*(not exist|access denied|not exported)/s);
    expect(await failure('ADD broken.tar.xz /x/')).toMatch(/Dockerfile:2:1: xz: exit status 1: the input is damaged/);
  });

  test('C07: what a tar or a repository holds reads and writes nothing outside', async () => {
    await host.writeFile(`${host.user.home}/outside/secret`, 'FROM outside\n');
    const outside = `${host.user.home}/outside`;
    const failure = async (...entries: readonly TarEntry[]): Promise<string> =>
      (await host.lichen(['build', '-q', '-'], { input: await tarOf(...entries) })).stderr.trim();
    // Links of the context are links of the image, and lead to what the context has.
    expect(
      await built(['-'], {
        input: await tarOf(
          file('Dockerfile', `${DOCKERFILE}COPY up/secret /context/read\n`),
          symlink('up', outside),
          directory(outside.slice(1)),
          file(`${outside.slice(1)}/secret`, 'own\n'),
        ),
      }),
    ).toContain('./read\nown');
    expect(await failure(symlink('Dockerfile', `${outside}/secret`))).toMatch(
      /no Containerfile or Dockerfile specified or found in context directory, -/,
    );
    expect(await failure(file('Dockerfile', DOCKERFILE), symlink('.dockerignore', `${outside}/secret`))).toBe('');
    expect(await failure({ name: 'Dockerfile', type: 'fifo' })).toMatch(/no Containerfile or Dockerfile/);
    expect(await failure(file('../escaped', 'x'), file('Dockerfile', DOCKERFILE))).toMatch(/stdin: entry "\.\.\/escaped"/);
    await failure(symlink('up', outside), file('up/planted', 'x'), file('Dockerfile', DOCKERFILE));
    expect(await failure(hardlink('Dockerfile', `${outside}/secret`))).toMatch(/stdin: entry "Dockerfile": no such file/);
    expect((await host.run(['ls', outside])).stdout).toBe('secret\n');
    expect(await failure(file('Dockerfile', `FROM localhost/busybox\nCOPY ../outside/secret /x\n`))).toMatch(/no such file or directory/);
    expect(await failure(file('Dockerfile', DOCKERFILE), file('.dockerignore', '!../outside\n!/../../x\n../y\n'))).toBe('');
    expect(
      (
        await host.lichen(['build', '-q', '-'], {
          input: (await tarOf(file('Dockerfile', DOCKERFILE), file('long', 'x'.repeat(5000)))).subarray(0, 2500),
        })
      ).stderr,
    ).toMatch(/^Error: stdin: .*unexpected EOF/);

    const refused = async (place: string): Promise<string> => (await host.lichen(['build', '-q', place])).stderr.trim();
    expect(await refused(`${git}/app.git#main:up`)).toMatch(/the repository has no directory "up"/);
    expect(await refused(`${git}/app.git#main:../..`)).toMatch(/leads out of the repository/);
    expect(await refused(`${git}/app.git#main:missing`)).toMatch(/the repository has no directory "missing"/);
    expect(await refused(`${git}/app.git#--upload-pack=touch x`)).toMatch(/holds a space or a control character/);
    expect(await refused(`${git}/app.git#--upload-pack=x`)).toMatch(/"--upload-pack=x" is no branch, tag or commit/);
    expect(await refused('ssh://-oProxyCommand=x/y.git')).toMatch(/"-oProxyCommand=x" is no host/);
    expect(await refused(`${git}/app.git#missing`)).toMatch(/git fetch: .*couldn't find remote ref missing/);
    expect(await refused(`${web}/missing`)).toMatch(/downloading .*\/missing: status 404/);
    expect(await refused('ext::sh -c x')).toMatch(/context must be a directory/);
    expect((await host.lichen(['build', '-f', '-', '-'], { input: 'FROM x' })).stderr).toMatch(/cannot both be read from stdin/);
    expect((await host.lichen(['build', '-'], { input: '' })).stderr).toMatch(/stdin: there is no context in it/);
    expect((await host.run(['ls', '-A', `${host.store}/tmp`])).stdout).toBe('');
  });
});
