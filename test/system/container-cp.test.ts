/** cp between containers, the host and tar streams: Podman's rules of who lands where. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestHost } from '../host/host.ts';
import { BUSYBOX, canRunContainers, loadedHost } from '../host/loaded.ts';

let host: TestHost;

const SETUP = `mkdir -p /srv/sub; echo hi >/srv/f; chmod 640 /srv/f; echo x >/srv/sub/g; ln -s /srv /tmp/dl; ln -s /srv/f /tmp/fl
ln -s /nowhere/at /tmp/dangling; ln -s /tmp/made /tmp/dangling2; ln /srv/f /srv/sub/hard; mkdir /ow /ow/plain; echo >/ow/d; sleep 1000`;

async function inside(script: string, name = 'run'): Promise<string> {
  return host.succeed(['exec', name, 'sh', '-c', script]);
}

async function outside(script: string): Promise<string> {
  const { stdout, exitCode, stderr } = await host.run(['sh', '-c', script]);
  expect({ script, exitCode, stderr }).toMatchObject({ exitCode: 0 });
  return stdout;
}

async function refused(args: readonly string[], message: string): Promise<void> {
  expect(await host.lichen(['cp', ...args])).toMatchObject({ exitCode: 125, stdout: '', stderr: `Error: ${message}\n` });
}

describe.skipIf(!canRunContainers)('cp', () => {
  beforeAll(async () => {
    host = await loadedHost();
    const mounts = ['-v', 'data:/vol', '-v', 'data:/rovol:ro', '--tmpfs', '/tmpf'];
    await host.succeed(['run', '-d', '--name', 'run', '--network', 'none', ...mounts, BUSYBOX, 'sh', '-c', SETUP]);
    await host.succeed(['create', '--name', 'rest', '--network', 'none', ...mounts, BUSYBOX, 'true']);
    await inside('until [ -e /ow/d ]; do sleep 0.1; done');
    await outside('mkdir -p in/d; echo F >in/d/file; echo G >in/plain; mkdir out');
  });
  afterAll(async () => {
    await host.lichen(['rm', '-a', '-f', '-t', '0', '-v']);
    await host.lichen(['volume', 'prune', '-f']);
    await host[Symbol.asyncDispose]();
  });

  test('a file goes out under its name or another, through links, with mode and the caller as its owner', async () => {
    await host.succeed(['cp', 'run:/srv/f', 'out/']);
    await host.succeed(['cp', 'run:/tmp/fl', 'out/other']);
    await host.succeed(['cp', 'run:/srv/f/', 'out/slash']);
    expect(await outside('cd out; stat -c "%n %a %U" f other slash; cat other; rm *')).toMatch(
      /^f 640 (\w+)\nother 640 \1\nslash 640 \1\nhi\n$/,
    );
  });

  test('a directory goes into an existing one, becomes a new one, or gives only what it holds', async () => {
    await host.succeed(['cp', 'run:/tmp/dl', 'out']);
    await host.succeed(['cp', 'run:/srv/', 'out/new']);
    await host.succeed(['cp', 'run:/srv/.', 'out/dot']);
    await outside('mkdir out/there');
    await host.succeed(['cp', 'run:/srv/.', 'out/there']);
    const tree = 'D/f\nD/sub/g\nD/sub/hard\n';
    expect(await outside('cd out; find . -type f | sort')).toBe(
      ['./dot', './new', './srv', './there'].map((at) => tree.replaceAll('D', at)).join(''),
    );
    expect(await outside('cd out; stat -c %h new/f; rm -r *')).toBe('2\n');
  });

  test('files and directories go into a container and belong to its user', async () => {
    await host.succeed(['cp', 'in/plain', 'run:/srv/p']);
    await host.succeed(['cp', 'in/d', 'run:/srv/new']);
    await host.succeed(['cp', 'in/d/.', 'run:/srv/new2']);
    await host.succeed(['cp', 'in/d/', 'run:/srv']);
    await host.succeed(['cp', 'in/plain', 'run:/tmp/dangling2']);
    expect(await inside('cd /srv; stat -c "%n %u" p new new/file new2/file d/file; cat /tmp/made; readlink /tmp/dangling2')).toBe(
      'p 0\nnew 0\nnew/file 0\nnew2/file 0\nd/file 0\nG\n/tmp/made',
    );
  });

  test('paths that are not there, or of the wrong kind, are refused and nothing is written', async () => {
    await refused(['run:/tmp/dangling', 'out/'], '"/tmp/dangling" could not be found on container run: no such file or directory');
    await refused(['run:relative', 'out/'], '"relative" could not be found on container run: no such file or directory');
    await refused(['run:/srv/f', 'out/none/'], '"out/none/" could not be found on the host: no such file or directory');
    await refused(['run:/srv/f', 'out/none/x'], '"out/none/x" could not be found on the host: no such file or directory');
    await refused(['in/none', 'run:/'], '"in/none" could not be found on the host: no such file or directory');
    await refused(['in/plain', 'run:/no/such'], '"/no/such" could not be found on container run: no such file or directory');
    await refused(['in/plain', 'run:/nosuch/'], '"/nosuch/" could not be found on container run: no such file or directory');
    await refused(['in/plain', 'run:/tmp/dangling'], '"/tmp/dangling" could not be found on container run: no such file or directory');
    await refused(['in/d', 'run:/srv/f'], 'destination must be a directory when copying a directory');
    await refused(['run:/srv', 'in/plain'], 'destination must be a directory when copying a directory');
    await refused(['nosuch:/x', '.'], 'container "nosuch" does not exist');
    await refused(['.', 'nosuch:/x'], 'container "nosuch" does not exist');
    await refused(['', 'run:/x'], 'invalid arguments "", "run:/x": you must specify paths');
    await refused(['run:', 'out'], 'invalid arguments "run:", "out": you must specify paths');
    expect(await host.lichen(['cp', 'in', 'out'])).toMatchObject({
      exitCode: 125,
      stderr: expect.stringMatching(/^Error: name or ID cannot be empty\n/),
    });
    expect(await host.lichen(['cp', 'a', 'b', 'c'])).toMatchObject({ exitCode: 125 });
    expect(await outside('ls out')).toBe('');
  });

  test('a directory and a file replace each other only with --overwrite', async () => {
    await refused(['in/plain', 'run:/ow'], 'copying to container: error creating "plain": file exists');
    await refused(['in/d', 'run:/ow'], 'copying to container: error creating "d": file exists');
    await host.succeed(['cp', '--overwrite', 'in/plain', 'run:/ow']);
    await host.succeed(['cp', '--overwrite', 'in/d', 'run:/ow']);
    expect(await inside('cat /ow/plain /ow/d/file')).toBe('G\nF');
    await outside('mkdir -p out/f; echo >out/sub');
    await refused(['run:/srv/f', 'out'], 'copying to host: error creating "f": file exists');
    await refused(['run:/srv/sub', 'out'], 'copying to host: error creating "sub": file exists');
    await outside('rm -r out/*');
  });

  test('tmpfs, volumes and read-only mounts of a running container are its own view; at rest, volumes are found by their target', async () => {
    await host.succeed(['cp', 'in/plain', 'run:/tmpf/']);
    await host.succeed(['cp', 'in/plain', 'run:/vol/v1']);
    await refused(['in/plain', 'run:/rovol/'], 'copying to container: error creating "plain": read-only file system');
    expect(await inside('cat /tmpf/plain /vol/v1')).toBe('G\nG');
    await host.succeed(['cp', 'rest:/vol/v1', 'out/v1']);
    await host.succeed(['cp', 'in/plain', 'rest:/vol/v2']);
    await host.succeed(['cp', 'in/plain', 'rest:/etc/two']);
    expect(await inside('cat /vol/v2')).toBe('G');
    await host.succeed(['pause', 'run']);
    await host.succeed(['cp', 'run:/tmpf/plain', 'out/paused']);
    await host.succeed(['unpause', 'run']);
    expect(await outside('cat out/v1 out/paused; rm out/*')).toBe('G\nG\n');
  });

  test('from container to container, also within one', async () => {
    await host.succeed(['cp', 'run:/srv/sub', 'rest:/etc/sub']);
    await host.succeed(['cp', 'run:/srv/f', 'rest:/etc/sub']);
    await refused(['run:/srv', 'rest:/etc/sub/f'], 'destination must be a directory when copying a directory');
    await host.succeed(['cp', 'run:/srv/sub', 'run:/within']);
    await host.succeed(['cp', 'rest:/etc/sub', 'out']);
    expect(await outside('cat out/sub/g out/sub/f; rm -r out/*')).toBe('x\nhi\n');
    expect(await inside('cat /within/g')).toBe('x');
  });

  test('- is a tar archive: out with names as Podman gives them, in plain or compressed, and nothing else is taken', async () => {
    const names = async (path: string): Promise<string> => {
      const { stdoutBytes } = await host.lichen(['cp', path, '-']);
      const { stdout } = await host.run(['tar', 't'], { input: stdoutBytes });
      return stdout;
    };
    expect(await names('run:/within')).toBe('within/\nwithin/g\nwithin/hard\n');
    expect(await names('run:/within/.')).toBe('g\nhard\n');
    expect(await names('run:/tmp/fl')).toBe('f\n');
    const { stdoutBytes } = await host.run(['tar', 'cz', '-C', 'in', '.']);
    await host.succeed(['cp', '-', 'run:/srv/sub'], { input: stdoutBytes });
    expect(await inside('cat /srv/sub/plain /srv/sub/d/file')).toBe('G\nF');
    const noTar = 'source must be a (compressed) tar archive when copying from stdin';
    for (const input of ['', 'no archive']) {
      expect(await host.lichen(['cp', '-', 'run:/srv'], { input })).toMatchObject({ exitCode: 125, stderr: `Error: ${noTar}\n` });
    }
    await refused(['-', 'run:/srv/f'], 'destination must be a directory when copying from stdin');
    await refused(['-', 'run:/nosuch'], 'destination must be a directory when copying from stdin');
  });

  test('with ids of its own, files arrive as the container’s and leave as the caller’s', async () => {
    await host.succeed(['run', '-d', '--name', 'mapped', '--network', 'none', '--userns', 'keep-id', BUSYBOX, 'sleep', '1000']);
    await host.succeed(['cp', 'in/d', 'mapped:/tmp/']);
    await host.succeed(['cp', '--archive=false', 'in/plain', 'mapped:/tmp/kept']);
    expect(await inside('stat -c %u /tmp/d/file; id -u', 'mapped')).toMatch(/^(\d+)\n\1$/);
    await host.succeed(['cp', 'mapped:/tmp/d/file', 'out/']);
    expect(await outside('[ -O out/file ] && cat out/file; rm out/file')).toBe('F\n');
    await host.succeed(['rm', '-f', '-t', '0', 'mapped']);
  });

  test('names are bytes', async () => {
    await inside(String.raw`mkdir /names; cd /names; echo 1 >"$(printf 'a\377b')"; echo 2 >'*'; echo 3 >"$(printf 'new\nline')"`);
    await host.succeed(['cp', 'run:/names', 'out']);
    expect(await outside('cd out/names; for n in *; do printf %s "$n" | od -An -tx1; cat "$n"; done; rm -r ../*')).toBe(
      ' 2a\n2\n 61 ff 62\n1\n 6e 65 77 0a 6c 69 6e 65\n3\n',
    );
  });
});
