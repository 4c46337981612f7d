/** build: what it says, what it keeps, what it leaves out, and what is left of it. What it makes of Dockerfiles: test/parity/build.test.ts. */
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { TestHost } from '../host/host.ts';
import { canRunContainers, loadedHost } from '../host/loaded.ts';

let host: TestHost;
const WAIT = { timeout: 30_000, interval: 50 };
let contexts = 0;

/** A new context; resolves with its directory. */
async function context(files: Readonly<Record<string, string>>): Promise<string> {
  const directory = `${host.user.home}/context-${contexts++}`;
  for (const [name, text] of Object.entries(files)) await host.writeFile(`${directory}/${name}`, text);
  return directory;
}

async function failure(
  dockerfile: string,
  flags: readonly string[] = [],
): Promise<{ readonly exitCode: number; readonly message: string }> {
  const { exitCode, stderr } = await host.lichen(['build', '-q', ...flags, '.'], {
    cwd: await context({ Dockerfile: dockerfile, a: 'a\n' }),
  });
  return { exitCode: exitCode ?? -1, message: stderr.trim() };
}

describe.skipIf(!canRunContainers)('build', () => {
  beforeAll(async () => {
    host = await loadedHost();
  });
  afterAll(async () => {
    await host[Symbol.asyncDispose]();
  });

  test('tells its steps, their output and the image; a second time all of it comes from the cache, and is the same image', async () => {
    const cwd = await context({ Containerfile: 'FROM localhost/busybox\nARG A=1\nRUN echo said; echo $A > /a\nCOPY in /in\n', in: 'in\n' });
    const first = await host.lichen(['build', '-t', 'told', '-t', 'told:v2', '--iidfile', 'id', '--network', 'none', '.'], { cwd });
    expect(first).toMatchObject({ exitCode: 0, stderr: '' });
    const lines = first.stdout.trim().split('\n');
    const id = lines.at(-1)!;
    expect(lines).toEqual([
      'STEP 1/4: FROM localhost/busybox',
      'STEP 2/4: ARG A=1',
      expect.stringMatching(/^--> [0-9a-f]{12}$/),
      'STEP 3/4: RUN echo said; echo $A > /a',
      'said',
      expect.stringMatching(/^--> [0-9a-f]{12}$/),
      'STEP 4/4: COPY in /in',
      'COMMIT told',
      `--> ${id.slice(0, 12)}`,
      'Successfully tagged localhost/told:latest',
      'Successfully tagged localhost/told:v2',
      expect.stringMatching(/^[0-9a-f]{64}$/),
    ]);
    expect(await host.readFile(`${cwd}/id`)).toBe(`sha256:${id}`);

    const second = await host.succeed(['build', '.'], { cwd });
    expect(second.match(/^--> Using cache [0-9a-f]{64}$/gm)).toHaveLength(3);
    expect(second).not.toContain('\nsaid\n');
    expect(second.split('\n').at(-1)).toBe(id);
    // The time of a file says nothing, what it holds does; a command may have changed what it finds.
    await host.run(['touch', '-d', '2001-01-01', 'in'], { cwd });
    expect(await host.succeed(['build', '-q', '.'], { cwd })).toBe(id);
    await host.writeFile(`${cwd}/in`, 'other\n');
    const third = await host.succeed(['build', '--build-arg', 'A=1', '.'], { cwd });
    expect(third.match(/Using cache/g)).toHaveLength(2);
    expect(await host.succeed(['build', '--build-arg', 'A=2', '--network', 'none', '.'], { cwd })).not.toContain('Using cache');
    expect(await host.succeed(['build', '--no-cache', '--network', 'none', '.'], { cwd })).not.toContain('Using cache');
    expect(await host.succeed(['build', '--cache-ttl', '1h', '.'], { cwd })).toContain('Using cache');
    expect(await host.succeed(['build', '--cache-ttl', '0s', '--network', 'none', '.'], { cwd })).not.toContain('Using cache');
  });

  test('progress: live steps on a terminal, events as JSON, nothing', async () => {
    const cwd = await context({
      Dockerfile: `FROM localhost/busybox AS a\nRUN echo said; echo on two lines\nFROM a\nRUN echo ${'long '.repeat(30)}\n`,
    });
    const build = (flags: readonly string[], tty?: { rows: number; columns: number }) =>
      host.lichen(['build', '--network=none', ...flags, '.'], { cwd, ...(tty === undefined ? {} : { tty }) });
    const screen = { rows: 24, columns: 60 };
    const live = await build([], screen);
    const lines = live.stdout.split(/\r?\n/).map((line) => stripVTControlCharacters(line).replaceAll('\r', ''));
    expect(lines).toContainEqual(
      expect.stringMatching(
        /^ => \[1\/2\] STEP 2\/2: RUN echo said; echo on two… +\d+\.\ds$|^ => \[1\/2\] STEP 2\/2: RUN echo said; echo on two lines +\d+\.\ds$/,
      ),
    );
    expect(lines.filter((line) => line.length >= screen.columns && !/^[0-9a-f]{64}$/.test(line))).toEqual([]);
    const id = lines.findLast((line) => /^[0-9a-f]{64}$/.test(line))!;
    expect((await build([], screen)).stdout).toContain(' => CACHED [2/2] STEP 2/2: RUN echo long');
    expect((await build(['--progress=plain'], screen)).stdout).toMatch(/^\[1\/2\] STEP 2\/2: RUN echo said; echo on two lines\r?$/m);
    expect(await build(['--progress=quiet', '--no-cache'])).toMatchObject({
      stdout: expect.stringMatching(/^[0-9a-f]{64}\n$/),
      stderr: '',
    });

    const raw = await build(['--progress=rawjson', '--no-cache']);
    expect(raw.stdout).toMatch(/^[0-9a-f]{64}\n$/);
    const events = raw.stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { vertexes?: Record<string, string>[]; logs?: { vertex: string; data: string }[] });
    const done = events
      .flatMap(({ vertexes = [] }) => vertexes)
      .find(({ name, completed }) => name!.includes('RUN echo said') && completed !== undefined)!;
    expect(
      events
        .flatMap(({ logs = [] }) => logs)
        .filter(({ vertex }) => vertex === done['digest'])
        .map(({ data }) => Buffer.from(data, 'base64').toString())
        .join(''),
    ).toBe('said\non two lines\n');

    await host.writeFile(`${cwd}/Dockerfile`, 'FROM localhost/busybox\nRUN echo why; exit 3\n');
    const failed = await build([], screen);
    expect(failed.exitCode).toBe(3);
    expect(failed.stdout.replaceAll('\r', '')).toMatch(
      /------ STEP 2\/2: RUN echo why; exit 3\nwhy\n------\nError: Dockerfile:2:1: .*\n  2 \| RUN echo why; exit 3\n    \| \^+/,
    );
    expect((await build(['--progress=rawjson'])).stderr).toContain('"error":"Dockerfile:2:1: the command ended with exit status 3');
    expect((await build(['--progress=other'])).stderr).toContain('--progress');
    expect(id).not.toBe('');
  });

  test('--check builds nothing and tells what is better not done', async () => {
    const cwd = await context({
      Dockerfile: 'FROM localhost/busybox AS Base\nLABEL a=$PATH b=$NOT_THERE\nRUN exit 1\nCOPY ignored /\n',
      '.dockerignore': 'ignored\n',
      ignored: '',
    });
    const { exitCode, stdout } = await host.lichen(['build', '--check', '.'], { cwd });
    expect(exitCode).toBe(1);
    expect(stdout.split('\n').filter((line) => /^(Check|WARNING)/.test(line))).toEqual([
      'Check complete, 3 warnings have been found!',
      "WARNING: StageNameCasing: Stage name 'Base' should be lowercase",
      "WARNING: UndefinedVar: Usage of undefined variable '$NOT_THERE'",
      'WARNING: CopyIgnoredFile: Attempting to Copy file "ignored" that is excluded by .dockerignore',
    ]);
    await host.writeFile(`${cwd}/Dockerfile`, '# check=error=true\nFROM localhost/busybox AS Base\n');
    expect(await host.lichen(['build', '.'], { cwd })).toMatchObject({
      exitCode: 125,
      stderr: expect.stringMatching(/^Error: lint violation found for rules: StageNameCasing\n/),
    });
    const given = (words: string): Promise<{ readonly exitCode?: number | undefined; readonly stderr: string }> =>
      host.lichen(['build', '-q', '--build-arg', `BUILDKIT_DOCKERFILE_CHECK=${words}`, '--build-arg=BUILDKIT_INLINE_CACHE=1', '.'], {
        cwd,
      });
    expect(await given('skip=StageNameCasing;error=true')).toMatchObject({ exitCode: 0, stderr: '' });
    expect((await given('skpi=all')).stderr).toContain('BUILDKIT_DOCKERFILE_CHECK=skpi=all: invalid check option "skpi"');
    await host.writeFile(`${cwd}/Dockerfile`, 'FROM localhost/busybox AS base\n');
    expect(await host.succeed(['build', '--check', '.'], { cwd })).toBe('Check complete, no warnings found.');
  });

  test('--chown of an archive is for the directories made on the way to it, and each owner is a step of its own', async () => {
    const cwd = await context({ 'files/in': 'in\n' });
    const tar = ['tar', '-c', '-f', 'a.tar', '--owner=:77', '--group=:78', '-C', 'files', 'in'];
    expect((await host.run(tar, { cwd })).exitCode).toBe(0);
    const owners = async (chown: string): Promise<readonly string[]> => {
      await host.writeFile(`${cwd}/Dockerfile`, `FROM localhost/busybox\nADD ${chown} a.tar /new/\n`);
      const said = await host.succeed(['build', '.'], { cwd });
      expect(said).not.toContain('Using cache');
      const id = said.split('\n').at(-1)!;
      return (await host.succeed(['run', '--rm', '--network', 'none', id, 'stat', '-c', '%u:%g', '/new', '/new/in'])).split('\n');
    };
    expect(await owners('')).toEqual(['0:0', '77:78']);
    expect(await owners('--chown=5:6')).toEqual(['5:6', '77:78']);
    expect(await owners('--chown=7:8')).toEqual(['7:8', '77:78']);
  });

  test('the cache of steps goes with their layers', async () => {
    const cwd = await context({ Containerfile: 'FROM localhost/busybox\nRUN echo gone > /gone\n' });
    await host.succeed(['build', '-q', '-t', 'gone', '--network', 'none', '.'], { cwd });
    expect(await host.succeed(['build', '.'], { cwd })).toContain('Using cache');
    await host.succeed(['rmi', '--force', 'gone']);
    expect(await host.succeed(['build', '--network', 'none', '.'], { cwd })).not.toContain('Using cache');
  });

  test('a Containerfile from stdin, one from elsewhere, several; builder and buildx', async () => {
    const cwd = await context({ 'sub/File': 'FROM localhost/busybox\nLABEL from=sub\n', More: 'LABEL more=yes\n', x: 'x\n' });
    const labels = async (words: readonly string[], input?: string): Promise<unknown> => {
      const id = await host.succeed([...words, '-q', '.'], { cwd, ...(input === undefined ? {} : { input }) });
      return JSON.parse(await host.succeed(['image', 'inspect', '--format', '{{json .Labels}}', id]));
    };
    expect(await labels(['build', '-f', '-'], 'FROM localhost/busybox\nLABEL from=stdin\n')).toEqual({ from: 'stdin' });
    expect(await labels(['image', 'build', '-f', 'sub/File'])).toEqual({ from: 'sub' });
    expect(await labels(['builder', 'build', '-f', 'sub/File', '-f', 'More'])).toEqual({ from: 'sub', more: 'yes' });
    expect(await labels(['buildx', 'build', '-f', 'sub/File'])).toEqual({ from: 'sub' });
    await host.writeFile(`${cwd}/own.h`, 'LABEL included=yes\n');
    await host.writeFile(`${cwd}/Pre.in`, 'FROM localhost/busybox\n#include "own.h"\n#ifdef GIVEN\nLABEL given=GIVEN\n#endif\n');
    expect(await labels(['build', '-f', 'Pre.in'])).toEqual({ included: 'yes' });
    expect(await labels(['build', '--cpp-flag=-DGIVEN=1', '-f', 'Pre.in'])).toEqual({ included: 'yes', given: '1' });
    expect((await host.lichen(['build', '-f', 'Pre.in', '-'], { cwd, input: 'FROM scratch\n' })).stderr).toMatch(
      /^Error: .* is not preprocessed in -\n/,
    );
    const docker = ['--load', '--builder', 'default', '--provenance=false', '--sbom=false', '--allow=network.host', '--call=build'];
    expect(await labels(['buildx', 'build', ...docker, '-f', 'sub/File'])).toEqual({ from: 'sub' });
    for (const flag of ['--provenance', '--provenance=mode=max', '--sbom=true', '--attest=type=sbom'])
      expect(await host.lichen(['buildx', 'build', flag, '.'], { cwd })).toMatchObject({
        exitCode: 125,
        stderr: expect.stringMatching(/^Error: --\w+ is not supported yet\n/),
      });
    expect((await host.lichen(['buildx', 'build', '--call=check', '-f', 'sub/File', '.'], { cwd })).stdout).toMatch(/^Check complete/);
    expect((await host.lichen(['buildx', 'build', '--push', '-f', 'sub/File', '.'], { cwd })).stderr).toMatch(/^Error: tag is needed/);
  });

  test('--logfile has what is said, --os-version and --os-feature are settings, --runtime-flag reaches the runtime, --stdin RUN', async () => {
    const cwd = await context({ Dockerfile: 'FROM localhost/busybox\nRUN echo said; echo wrong >&2\n' });
    const flags = [
      '--network=none',
      '--no-cache',
      '--logfile=log',
      '--os-version=10.0',
      '--os-feature=a',
      '--os-feature=b',
      '--layer-label=l',
    ];
    await host.writeFile(`${cwd}/log`, 'before\n');
    const { exitCode, stdout, stderr } = await host.lichen(['build', ...flags, '.'], { cwd });
    expect({ exitCode, stdout, stderr }).toEqual({ exitCode: 0, stdout: expect.stringMatching(/^[0-9a-f]{64}\n$/), stderr: '' });
    expect(await host.readFile(`${cwd}/log`)).toMatch(/^STEP 1\/2: FROM [^]*\nsaid\nwrong\nCOMMIT\n/);
    await host.succeed(['save', '-q', '--format', 'oci-dir', '-o', 'saved', stdout.trim()], { cwd });
    expect(JSON.parse(await host.readFile(`${cwd}/saved/blobs/sha256/${stdout.trim()}`))).toMatchObject({
      'os.version': '10.0',
      'os.features': ['a', 'b'],
    });
    await host.writeFile(`${cwd}/Reads`, 'FROM localhost/busybox\nRUN cat\n');
    const reads = (...words: readonly string[]) =>
      host.succeed(['build', '--network=none', '--no-cache', '-f', 'Reads', ...words, '.'], { cwd, input: 'read by RUN\n' });
    expect(await reads('--stdin')).toContain('\nread by RUN\n');
    expect(await reads()).not.toContain('read by RUN');
    expect((await host.lichen(['build', '--logfile=missing/log', '.'], { cwd })).stderr).toMatch(
      /^Error: --logfile: open missing\/log: no such/,
    );
    const odd = await host.lichen(['build', '-q', '--no-cache', '--network=none', '--runtime-flag=no-such-flag', '.'], { cwd });
    expect(odd.stderr).toContain('no-such-flag');
  });

  test('--no-cache-filter does the steps of a stage again, and those that are made of it alone', async () => {
    const cwd = await context({
      Dockerfile: `FROM localhost/busybox AS Fresh\nRUN echo > /fresh\nFROM localhost/busybox\nRUN echo > /kept\nCOPY --from=fresh /fresh /\n`,
    });
    const lines = async (...flags: readonly string[]): Promise<readonly string[]> =>
      (await host.succeed(['build', '--network=none', ...flags, '.'], { cwd })).split('\n').filter((line) => line.includes('Using cache'));
    await lines();
    expect(await lines()).toHaveLength(3);
    // What COPY finds is the same once more.
    expect(await lines('--no-cache-filter', 'FRESH')).toHaveLength(2);
    expect(await lines('--no-cache-filter', 'fresh,1')).toEqual([]);
    expect((await host.lichen(['build', '--no-cache-filter=no', '.'], { cwd })).stderr).toMatch(/^Error: the target "no" was not found/);
  });

  test('C13: RUN has the network, hosts, limits and mounts that were asked for, and only the environment that it should', async () => {
    const cwd = await context({
      Containerfile: `FROM localhost/busybox
ARG HTTP_PROXY
RUN env | sort > /env; cat /etc/hosts > /hosts; ulimit -n > /limit; cat /bound/b > /b; ip link | grep -c mtu > /links; ls -a / /etc > /listed`,
      'bound/b': 'bound\n',
    });
    const flags = ['--add-host', 'there:10.1.2.3', '--ulimit', 'nofile=77', '-v', `${cwd}/bound:/bound:ro`, '--network', 'none'];
    const id = await host.succeed(['build', '-q', '--build-arg', 'HTTP_PROXY=http://p', ...flags, '.'], {
      cwd,
      env: { SECRET_OF_CALLER: 'x' },
    });
    const said = await host.succeed([
      'run',
      '--rm',
      '--network',
      'none',
      id,
      'sh',
      '-c',
      'cat /env; cat /hosts /limit /b /links; ls -a /; cat /listed',
    ]);
    expect(said).toContain('HTTP_PROXY=http://p');
    expect(said).toMatch(/10\.1\.2\.3\s+there/);
    expect(said).toMatch(/^77\nbound\n1\n/m);
    expect(said).not.toContain('SECRET_OF_CALLER');
    // What was made to mount something there is gone again.
    const changes = await host.succeed(['image', 'diff', id, 'localhost/busybox']);
    expect(changes.split('\n').filter((line) => !/^A \/(env|hosts|limit|b|links|listed)$/.test(line))).toEqual([]);
  });

  test('C10: secrets are in no layer, history, log or cache, also when the build fails', async () => {
    const cwd = await context({
      Containerfile: `FROM localhost/busybox
RUN --mount=type=secret,id=file --mount=type=secret,id=variable,env=VARIABLE test "$(cat /run/secrets/file)" = "hush-$(echo file)" && test "$VARIABLE" = "hush-$(echo variable)"
RUN --mount=type=secret,id=file exit 1`,
      secret: 'hush-file',
    });
    const flags = ['--secret', 'id=file,src=secret', '--secret', 'id=variable,env=VALUE', '--network', 'none'];
    const { exitCode, stdout, stderr } = await host.lichen(['build', ...flags, '.'], { cwd, env: { VALUE: 'hush-variable' } });
    expect({ exitCode, stderr: stderr.split('\n')[0] }).toEqual({
      exitCode: 1,
      stderr: 'Error: Containerfile:3:1: the command ended with exit status 1',
    });
    expect(stdout).not.toContain('hush-file');
    const found = await host.run(['grep', '-rlE', 'hush-(file|variable)', host.store, host.runDir]);
    expect(found).toMatchObject({ exitCode: 1, stdout: '' });
  });

  test('C07: symbolic links of the context and of the image lead nowhere outside', async () => {
    const cwd = await context({
      Containerfile: `FROM localhost/busybox
RUN ln -s /etc /etc-link && ln -s ../../../../../../../../../../tmp /out
COPY passwd /copied
COPY dir /dir
COPY a /out/escaped
COPY --chmod=4711 a /mode
RUN --mount=type=bind,source=dir/up,target=/mounted cat /mounted/a > /read`,
      a: 'a\n',
      'dir/b': 'b\n',
      'etc/passwd': 'of the context\n',
    });
    for (const [target, name] of [
      ['/etc/passwd', 'passwd'],
      ['../../../../../../..', 'dir/up'],
    ])
      await host.run(['ln', '-s', target!, name!], { cwd });
    const id = await host.succeed(['build', '-q', '--network', 'none', '.'], { cwd });
    const script = 'cat /copied; readlink /dir/up; cat /tmp/escaped /read; stat -c %a /mode';
    expect(await host.succeed(['run', '--rm', '--network', 'none', id, 'sh', '-c', script])).toBe(
      'of the context\n../../../../../../..\na\na\n4711',
    );
    expect((await host.run(['test', '-e', '/tmp/escaped'])).exitCode).toBe(1);
  });

  test.each([
    ['RUN exit 7', 7, /^Error: Dockerfile:2:1: the command ended with exit status 7\n {2}2 \| RUN exit 7\n {4}\| \^{10}$/],
    ['RUN ["/not/there"]', 1, /Dockerfile:2:1: (crun|runc|embedded): .*No such file or directory/],
    [
      'COPY missing /',
      125,
      /Dockerfile:2:6: checking on sources under "[^"]*": "\/missing": no such file or directory\n.*\n +\| {6}\^{7}$/,
    ],
    ['COPY a /etc', 0, /^$/],
    ['COPY a /etc/passwd/x', 125, /./],
    ['COPY --chown=nobody-known a /', 125, /Dockerfile:2:6: unable to find user nobody-known: .*\n.*\n +\| {6}\^{20}$/],
    ['COPY --chmod=rwx a /', 125, /Dockerfile:2:6: invalid chmod parameter: 'rwx'/],
    ['COPY --from=localhost/missing a /', 125, /Dockerfile:2:6: COPY --from=localhost\/missing: no stage or image found with that name/],
    ['COPY --from=7 a /', 125, /Dockerfile:2:6: COPY --from=7: no stage or image found with that name\n/],
    ['FROM localhost/missing AS x', 125, /Dockerfile:2:6: localhost\/missing: image not known\n.*\n +\| {6}\^{17}$/],
    ['FROM --platform=linux/a/b/c localhost/busybox', 125, /Dockerfile:2:17: invalid platform syntax for "linux\/a\/b\/c"/],
    ['ADD http://[bad/x /', 125, /Dockerfile:2:5: "http:\/\/\[bad\/x" is no URL\n/],
    ['ADD --checksum=md5:0 http://127.0.0.1:1/x /', 125, /invalid checksum "md5:0"/],
    [`ADD --checksum=sha256:${'0'.repeat(64)} a /`, 125, /Dockerfile:2:5: --checksum is for what is downloaded, and not for local sources/],
    [`ADD --checksum=sha256:${'0'.repeat(64)} <<X /x\nX`, 125, /Dockerfile:2:5: --checksum is for what is downloaded/],
    ['ADD http://127.0.0.1:1/x /', 125, /Dockerfile:2:5: downloading http:\/\/127\.0\.0\.1:1\/x/],
    ['USER nobody-known\nRUN true', 125, /Dockerfile:3:1: unable to find user nobody-known/],
    ['RUN --network=other true', 125, /Dockerfile:2:5: unsupported network mode "other"/],
    ['RUN --security=insecure true', 125, /Dockerfile:2:5: unsupported security mode "insecure"/],
    ['RUN --mount=type=other,target=/x true', 125, /Dockerfile:2:5: unsupported mount type "other"/],
    ['RUN --mount=type=bind,source=missing,target=/x true', 125, /Dockerfile:2:5: "missing": no such file or directory/],
    ['RUN --mount=type=secret,id=s,required true', 125, /Dockerfile:2:5: secret required but no secret with id s found/],
    ['EXPOSE 99999', 125, /Dockerfile:2:8: invalid containerPort: 99999/],
    ['STOPSIGNAL SIGNOTHING', 125, /Dockerfile:2:12: invalid signal: SIGNOTHING/],
    ['ENV A="${B:?say B}"', 125, /Dockerfile:2:7: B: say B/],
    ['FROM scratch\nRUN true', 1, /Dockerfile:3:1: there is nothing to run in an empty image/],
  ])('%s', async (line, exitCode, message) => {
    const failed = await failure(`FROM localhost/busybox\n${line}`, ['--pull=never', '--network=none']);
    expect(failed).toEqual({ exitCode, message: expect.stringMatching(message) });
  });

  test('what was typed is refused before anything is done', async () => {
    const cwd = await context({ Dockerfile: 'FROM localhost/busybox\n' });
    const said = async (...words: readonly string[]): Promise<string> => (await host.lichen(['build', ...words], { cwd })).stderr.trim();
    expect(await said('-t', 'BAD/x', '.')).toBe('Error: tag BAD/x: invalid reference format: repository name must be lowercase');
    expect(await said('-f', 'missing', '.')).toBe(
      'Error: the specified Containerfile or Dockerfile does not exist, missing: no such file or directory',
    );
    expect(await said('missing')).toBe(`Error: context must be a directory: "${cwd}/missing"`);
    expect(await said('--target', 'missing', '.')).toContain('the target "missing" was not found');
    expect(await said('--cache-ttl', 'x', '.')).toBe(
      'Error: unable to parse value provided "x" as --cache-ttl: time: invalid duration "x"',
    );
    expect(await said('--format', 'x', '.')).toBe('Error: unrecognized image type "x"');
    expect(await said('--timestamp', '-1', '.')).toContain('is no number of seconds');
    expect(await said('--secret', 'src=Dockerfile', '.')).toContain('it has no id');
    expect(await said('--secret', 'id=x,src=missing', '.')).toContain('open missing: no such file or directory');
    expect(await said('--ssh', 'default=Dockerfile', '.')).toContain('is no socket of an agent');
    expect(await said('--build-context', 'x', '.')).toContain('"x" is not NAME=PLACE');
    expect(await said('-v', 'named:/x', '.')).toContain('only directories of this machine can be bound');
    expect(await said('--build-arg', 'UNUSED=1', '.')).toBe('[Warning] one or more build args were not consumed: [UNUSED]');
  });

  test('a cache can begin with a directory of a stage or an image: each cache once, and another when that has changed', async () => {
    const dockerfile = (seed: string): string => `FROM localhost/busybox AS seed
RUN mkdir /seed && echo ${seed} > /seed/first && chown 5:6 /seed/first && ln -s first /seed/link
FROM localhost/busybox
RUN --mount=type=cache,target=/c,id=seeded,from=seed,source=/seed,uid=7,mode=0711 cat /c/link; stat -c "%a %u" /c; stat -c %u:%g /c/first; ls /c; touch /c/second
RUN --mount=type=cache,target=/c,id=seeded,from=seed,source=/seed ls /c
RUN --mount=type=cache,target=/c,id=seeded ls /c`;
    const cwd = await context({ Dockerfile: dockerfile('one'), file: '' });
    const said = async (): Promise<readonly string[]> =>
      (await host.succeed(['build', '--no-cache', '--network=none', '.'], { cwd }))
        .split('\n')
        .filter((line) => !/STEP|^-->|COMMIT|^[0-9a-f]{64}$/.test(line));
    const fresh = ['711 7', '5:6', 'first', 'link'];
    expect(await said()).toEqual(['one', ...fresh, 'first', 'link', 'second']);
    expect(await said()).toEqual(['one', ...fresh, 'second', 'first', 'link', 'second']);
    await host.writeFile(`${cwd}/Dockerfile`, dockerfile('two'));
    expect(await said()).toEqual(['two', ...fresh, 'first', 'link', 'second']);
    const odd = 'RUN --mount=type=cache,target=/c,from=localhost/busybox,source=/bin/sh true';
    expect((await failure(`FROM localhost/busybox\n${odd}`)).message).toMatch(/Dockerfile:2:5: a cache can begin with a directory alone/);
  });

  test('the ids of images with --timestamp do not depend on when and where they are built', async () => {
    const files = { Dockerfile: 'FROM localhost/busybox\nCOPY a /a\nRUN echo x > /x\n', a: 'a\n' };
    const ids: string[] = [];
    for (const cwd of [await context(files), await context(files)])
      ids.push(await host.succeed(['build', '-q', '--no-cache', '--timestamp', '1000', '--network', 'none', '.'], { cwd }));
    expect(ids[0]).toBe(ids[1]);
    expect(await host.succeed(['image', 'inspect', '--format', '{{.Created}}', ids[0]!])).toBe('1970-01-01 00:16:40 +0000 UTC');
  });

  test('the next command clears away what a killed build left, and the cache is usable', async () => {
    const cwd = await context({ Dockerfile: 'FROM localhost/busybox\nRUN echo kept > /kept\nRUN echo waiting; exec sleep 1000\n' });
    const build = host.spawnLichen(['build', '.'], { cwd });
    await vi.waitUntil(() => build.stdout.includes('waiting\n'), WAIT);
    build.signal('SIGKILL');
    // The command of the step has the streams of the build as long as it runs.
    await host.succeed(['ps']);
    await build.finished;
    expect(host.processes().filter(({ command }) => /sleep 1000|pasta|crun/.test(command))).toEqual([]);
    expect((await host.run(['ls', '-A', `${host.runDir}/builds`, `${host.store}/tmp`])).stdout).not.toMatch(/layer-/);
    const again = host.spawnLichen(['build', '.'], { cwd });
    await vi.waitUntil(() => again.stdout.includes('waiting\n'), WAIT);
    again.signal('SIGTERM');
    expect((await again.finished).stdout).toContain('Using cache');
    // A signal that can be heard leaves nothing to clear away.
    expect(host.processes().filter(({ command }) => /sleep 1000|crun/.test(command))).toEqual([]);
  });
});
