/** Fuller and more hostile machines than lichen would like: one clear error each, and the rest works. Poorer ones: test/environments. */
import { DatabaseSync } from 'node:sqlite';
import { chownSync, copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { canMakeImages, fixturePath } from '../fixtures/build/images.ts';
import { canShapeHosts, testHost, type TestHost } from '../host/host.ts';
import { MONITOR } from '../host/makes.ts';
import { BUSYBOX, loadedHost } from '../host/loaded.ts';
import { expectNothingLeft, remains } from './remains.ts';

const IMAGE = 'localhost/busybox';
const possible = canMakeImages && canShapeHosts;

async function load(host: TestHost): Promise<void> {
  await host.succeed(['load', '--quiet', '--input', host.fixture(await fixturePath('busybox'))]);
}

describe.skipIf(!possible)('a machine that lacks a program', () => {
  test('without conmon another monitor takes its place, unless it was asked for by name', async () => {
    await using host = await testHost({ without: ['conmon'] });
    await load(host);
    expect(await host.succeed(['run', '--rm', '--network', 'none', IMAGE, 'echo', 'from inside'])).toBe('from inside');
    await host.succeed(['run', '--detach', '--name', 'one', '--network', 'none', IMAGE, 'sleep', '1000']);
    expect(await host.succeed(['exec', 'one', 'echo', 'entered'])).toBe('entered');
    expect(await host.succeed(['stop', '--time', '0', 'one'])).toBe('one');
    expect(await host.lichen(['--conmon', 'conmon', 'start', 'one'])).toMatchObject({
      stdout: '',
      stderr: "Error: conmon: not found\nInstall it (Debian: apt-get install conmon), or use lichen's own: --conmon embedded.\n",
      exitCode: 125,
    });
    expect(await host.succeed(['rm', 'one'])).toBe('one');
    await expectNothingLeft(host);
  });

  test('a runtime that is uninstalled while containers run: they can be listed, stopped and removed', async () => {
    await using host = await testHost({ without: ['runc'] });
    await load(host);
    await host.succeed(['run', '--detach', '--name', 'one', '--network', 'none', IMAGE, 'sleep', '1000']);
    await host.succeed(['run', '--detach', '--name', 'two', '--network', 'none', IMAGE, 'sleep', '1000']);
    await host.asRoot(['mount', '--bind', '/dev/null', '/usr/bin/crun']);
    expect((await host.succeed(['ps', '--format', '{{.Names}}'])).split('\n').toSorted()).toEqual(['one', 'two']);
    await host.succeed(['stop', '--time', '0', 'one']);
    await host.succeed(['rm', 'one']);
    await host.succeed(['rm', '--force', '--time', '0', 'two']);
    await expectNothingLeft(host);
  });
});

describe.skipIf(!possible)('a full disk', () => {
  const FULL = /^Error: .*(disk is full|no space left on device).*\nFree some space/;

  async function fill(host: TestHost): Promise<void> {
    await host.run(['/bin/sh', '-c', 'dd if=/dev/zero of=$HOME/filler bs=64k; dd if=/dev/zero of=$HOME/filler.rest bs=512; true']);
  }

  test('S03: a store that cannot be begun says so, and works when there is room', async () => {
    await using host = await testHost({ home: { sizeMib: 160 } });
    await fill(host);
    for (const args of [['ps'], ['run', '--rm', '--rootfs', '/:O', 'true']]) {
      const { stderr, exitCode } = await host.lichen(args);
      expect({ stderr, exitCode }).toEqual({ stderr: expect.stringMatching(FULL), exitCode: 125 });
    }
    await host.run(['/bin/sh', '-c', 'rm $HOME/filler*']);
    await load(host);
    expect(await host.succeed(['run', '--rm', '--network', 'none', IMAGE, 'echo', 'room'])).toBe('room');
    await expectNothingLeft(host);
  });

  test('an image that does not fit leaves nothing, and the next one that does is loaded', async () => {
    await using host = await testHost({ home: { sizeMib: 160 } });
    await host.succeed(['ps']);
    await fill(host);
    const { stderr, exitCode } = await host.lichen(['load', '--quiet', '--input', host.fixture(await fixturePath('busybox'))]);
    expect({ stderr, exitCode }).toEqual({ stderr: expect.stringMatching(FULL), exitCode: 125 });
    expect(readdirSync(host.path(`${host.store}/tmp`))).toEqual([]);
    expect(await host.succeed(['images', '--quiet'])).toBe('');
    await host.run(['/bin/sh', '-c', 'rm $HOME/filler*']);
    await load(host);
    await expectNothingLeft(host);
  });

  test('S03: what runs goes on, what is new has room or is refused, and everything can be removed while the disk is full', async () => {
    await using host = await testHost({ home: { sizeMib: 160 } });
    await load(host);
    await host.succeed(['run', '--detach', '--name', 'one', '--network', 'none', IMAGE, 'sleep', '1000']);
    // More rows than the space set aside would hold if every removal only added to the write-ahead log.
    for (let count = 0; count < 30; count++) await host.succeed(['create', '--network', 'none', IMAGE, 'true']);
    await host.succeed(['run', '--detach', '--name', 'two', '--network', 'none', IMAGE, 'sleep', '777']);
    await fill(host);
    for (const options of [['--rm'], ['--detach'], ['--detach', '--name', 'three']]) {
      const { stdout, stderr, exitCode } = await host.lichen(['run', ...options, '--network', 'none', IMAGE, 'echo', 'no']);
      if (exitCode !== 0) expect({ stdout, stderr, exitCode }).toEqual({ stdout: '', stderr: expect.stringMatching(FULL), exitCode: 125 });
    }
    expect(await host.succeed(['exec', 'one', 'echo', 'alive'])).toBe('alive');
    // Not before: its clean-up gives the reserve back, and with it there is room.
    const two = host.processes().find(({ command }) => command === 'sleep 777');
    await host.asRoot(['/bin/sh', '-c', `kill -9 ${two?.pid}`]);
    await expect.poll(() => host.succeed(['ps', '--format', '{{.Names}}']), { timeout: 10_000 }).toBe('one');
    await host.succeed(['stop', '--time', '0', 'one']);
    await expectNothingLeft(host);
    await host.succeed(['rmi', IMAGE]);
    await host.run(['/bin/sh', '-c', 'rm $HOME/filler*']);
    await load(host);
    expect(await host.succeed(['run', '--rm', '--network', 'none', IMAGE, 'echo', 'room'])).toBe('room');
  });

  test('S03: system prune gives everything back that nothing uses', async () => {
    await using host = await testHost({ home: { sizeMib: 160 } });
    await load(host);
    await host.succeed(['load', '--quiet', '--input', host.fixture(await fixturePath('layered'))]);
    for (const name of ['one', 'two', 'three']) {
      await host.succeed(['run', '--name', name, '--network', 'none', '-v', `${name}:/data`, IMAGE, 'sh', '-c', 'echo x > /data/x']);
    }
    await host.succeed(['rm', 'three']);
    await host.succeed(['run', '--detach', '--name', 'four', '--network', 'none', 'localhost/layered', 'sleep', '1000']);
    await fill(host);
    const pruned = await host.lichen(['system', 'prune', '--all', '--force', '--volumes']);
    expect({ stderr: pruned.stderr, exitCode: pruned.exitCode }).toEqual({ stderr: '', exitCode: 0 });
    expect(pruned.stdout).toMatch(
      /^Deleted Containers\n(?:[0-9a-f]{64}\n){2}Deleted Volumes\none\ntwo\nthree\nDeleted Images\n[0-9a-f]{64}\nTotal reclaimed space: /,
    );
    expect(await host.succeed(['exec', 'four', 'echo', 'alive'])).toBe('alive');
    expect(await host.succeed(['images', '--noheading', '--format', '{{.Repository}}'])).toBe('localhost/layered');
    await host.run(['/bin/sh', '-c', 'rm $HOME/filler*']);
    expect(await host.lichen(['system', 'check'])).toMatchObject({ stdout: '', stderr: '', exitCode: 0 });
    await expectNothingLeft(host);
  });

  test('S03: a disk that fills up at any point of a run: one error, and nothing is left', async () => {
    await using host = await testHost({ home: { sizeMib: 160 } });
    await load(host);
    await host.succeed(['run', '--rm', '--network', 'none', IMAGE, 'true']);
    for (const leftKib of [8, 24, 36, 44, 52, 60, 68, 76]) {
      await host.run([
        '/bin/sh',
        '-c',
        `dd if=/dev/zero of=$HOME/room bs=1k count=${leftKib}; dd if=/dev/zero of=$HOME/filler bs=4k; rm $HOME/room`,
      ]);
      const { stderr, exitCode } = await host.lichen(['run', '--rm', '--network', 'none', IMAGE, 'echo', 'hi']);
      if (exitCode !== 0)
        expect({ stderr, status: [125, 126] }).toEqual({ stderr: expect.stringMatching(FULL), status: expect.arrayContaining([exitCode]) });
      expect(await remains(host)).toEqual([]);
      await host.run(['/bin/sh', '-c', 'rm $HOME/filler']);
      await host.succeed(['ps']);
    }
  });
});

describe.skipIf(!possible)('a store that cannot be used', () => {
  const HINT = 'Remove it, or choose other directories with --root and --runroot.\n';

  test('S03: a read-only home is one error, and --root leads elsewhere', async () => {
    await using host = await testHost({ home: 'read-only' });
    expect(await host.lichen(['ps'])).toMatchObject({
      stdout: '',
      stderr:
        'Error: mkdir /home/tester/.local: read-only file system\nChoose other directories with --root and --runroot, or LICHEN_ROOT.\n',
      exitCode: 125,
    });
    const elsewhere = ['--root', '/tmp/store'];
    expect(await host.succeed([...elsewhere, 'run', '--rm', '--network', 'none', '--rootfs', '/:O', '/bin/echo', 'elsewhere'])).toBe(
      'elsewhere',
    );
    expect(existsSync(host.path('/tmp/store/db.sqlite'))).toBe(true);
  });

  const places: Readonly<Record<string, (host: TestHost) => string>> = {
    store: (host) => host.store,
    'run directory': (host) => host.runDir,
  };
  for (const [title, place] of Object.entries(places)) {
    test(`R18: a ${title} of somebody else is refused`, async () => {
      await using host = await testHost();
      const path = place(host);
      await host.run(['mkdir', '-p', path]);
      chownSync(host.path(path), 1234, 1234);
      const { stderr, exitCode } = await host.lichen(['ps']);
      expect({ stderr, exitCode }).toEqual({
        stderr: `Error: ${path} belongs to uid ${title === 'store' ? 65534 : 1234}, not to you\n${HINT}`,
        exitCode: 125,
      });
      expect(readdirSync(host.path(path))).toEqual([]);
    });

    test(`R18: a ${title} that is a symbolic link is refused`, async () => {
      await using host = await testHost();
      const path = place(host);
      await host.run(['mkdir', '-p', dirname(path), '/tmp/planted']);
      symlinkSync('/tmp/planted', host.path(path));
      const { stderr, exitCode } = await host.lichen(['ps']);
      expect({ stderr, exitCode }).toEqual({ stderr: `Error: ${path} is not a directory\n${HINT}`, exitCode: 125 });
      expect(readdirSync(host.path('/tmp/planted'))).toEqual([]);
    });
  }

  test('R18: the shared run directory of /tmp, taken by somebody else before, is refused', async () => {
    await using host = await testHost({ without: ['runtime-dir'] });
    mkdirSync(host.path(host.runDir), { mode: 0o777 });
    const { stderr, exitCode } = await host.lichen(['ps']);
    expect({ stderr, exitCode }).toEqual({ stderr: `Error: ${host.runDir} belongs to uid 0, not to you\n${HINT}`, exitCode: 125 });
  });

  test('R18: a run directory that others can write to is closed', async () => {
    await using host = await testHost();
    await host.run(['mkdir', '-p', '-m', '777', host.runDir]);
    await host.succeed(['ps']);
    expect((await host.run(['stat', '-c', '%a', host.runDir])).stdout).toBe('755\n');
  });

  test('R18: another user of the machine can read nothing of the store, the secrets and the run directory, and connect to nothing', async () => {
    await using host = await loadedHost(['busybox']);
    await host.succeed(['secret', 'create', 'word', '-'], { input: 'hidden' });
    await host.succeed(['run', '-d', '--name=kept', '--network=none', '--secret=word', '-v', 'data:/data', BUSYBOX, 'sleep', '1000']);
    await host.asRoot(['chmod', '755', '/home/tester', '/run/user/2000']);
    const asOther = (script: string) => host.asRoot(['setpriv', '--reuid=1234', '--regid=1234', '--clear-groups', 'sh', '-c', script]);
    const seen = await asOther(
      `find ${host.store} ${host.runDir} -readable ! -type l 2>/dev/null; find ${host.store} ${host.runDir} -writable ! -type l 2>/dev/null; find ${host.store} ${host.runDir} -type s 2>/dev/null`,
    );
    const open = seen.stdout.split('\n').filter((path) => path !== '' && path !== host.runDir);
    expect(open).toEqual([]);
    expect((await asOther(`ls /tmp /dev/shm; grep -rl hidden /tmp /dev/shm 2>/dev/null`)).stdout).not.toContain('hidden');
    await host.succeed(['rm', '-f', '-t', '0', '-v', 'kept']);
  });

  test('S03: without a descriptor or a process to spare it is one error, and nothing is left', async () => {
    await using host = await loadedHost(['busybox']);
    const run = `lichen run --rm --network=none ${BUSYBOX} echo ran`;
    let refused = 0;
    for (const limit of [8, 12, 16, 20, 24, 28, 32, 40]) {
      const { stdout, stderr, exitCode } = await host.run(['sh', '-c', `ulimit -n ${limit}; ${run}`]);
      if (exitCode === 0) expect(stdout).toBe('ran\n');
      else {
        refused++;
        expect({ limit, stdout, said: stderr.trim() !== '' }).toEqual({ limit, stdout: '', said: true });
      }
      expect(await host.succeed(['run', '--rm', '--network=none', BUSYBOX, 'echo', 'ran'])).toBe('ran');
    }
    expect(refused).toBeGreaterThan(0);
    await expectNothingLeft(host);
  });

  const GARBAGE: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
    'is text': () => Buffer.from('not a database at all, but long enough to look like one\n'.repeat(100)),
    'was overwritten in the middle': (bytes) => Buffer.concat([bytes.subarray(0, 4096), Buffer.alloc(bytes.length - 4096, 0xff)]),
  };
  for (const [title, spoil] of Object.entries(GARBAGE)) {
    test(`a database that ${title} is named, not touched, and can be moved away`, async () => {
      await using host = await testHost();
      await host.succeed(['ps']);
      const path = host.path(`${host.store}/db.sqlite`);
      settle(path);
      const spoilt = spoil(readFileSync(path));
      writeFileSync(path, spoilt);
      const { stdout, stderr, exitCode } = await host.lichen(['ps']);
      expect({ stdout, stderr, exitCode }).toEqual({
        stdout: '',
        stderr: expect.stringMatching(
          /^Error: the database cannot be read .*(not a database|malformed).*\nMove db\.sqlite away to start afresh/,
        ),
        exitCode: 125,
      });
      expect(readFileSync(path).equals(spoilt)).toBe(true);
      await host.run(['/bin/sh', '-c', `cd ${host.store} && mkdir away && mv db.sqlite* away`]);
      await host.succeed(['ps']);
    });
  }

  test('a database of a newer lichen is left alone', async () => {
    await using host = await testHost();
    await host.succeed(['ps']);
    const path = host.path(`${host.store}/db.sqlite`);
    settle(path, (db) => db.exec('PRAGMA user_version=4711'));
    const before = readFileSync(path);
    const { stderr, exitCode } = await host.lichen(['ps']);
    expect({ stderr, exitCode }).toEqual({
      stderr: expect.stringMatching(
        /^Error: .*db\.sqlite has schema 4711, this lichen knows \d+\nUse the newer lichen, or another --root\.\n$/,
      ),
      exitCode: 125,
    });
    expect(readFileSync(path).equals(before)).toBe(true);
  });
});

/** Everything into the one file, which is then changed; the owner stays. A copy, because SQLite cannot open a path that leads through /proc. */
function settle(path: string, change: (db: DatabaseSync) => void = () => {}): void {
  const copy = join(tmpdir(), `lichen-settled-${process.pid}.sqlite`);
  for (const suffix of ['', '-wal']) if (existsSync(path + suffix)) copyFileSync(path + suffix, copy + suffix);
  const db = new DatabaseSync(copy);
  change(db);
  db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  db.close();
  writeFileSync(path, readFileSync(copy));
  for (const suffix of ['-wal', '-shm']) rmSync(path + suffix, { force: true });
  rmSync(copy);
}

test.skipIf(!possible)('what a caller set for his own Node programs, and what lies in the working directory, is not loaded', async () => {
  await using host = await testHost();
  await load(host);
  const trap = 'require("node:fs").writeFileSync("/tmp/trapped", "x"); console.log("TRAPPED");';
  for (const name of ['trap.cjs', 'node_modules/koffi/index.js', 'node_modules/valibot/index.js', 'node.config.json', '.npmrc']) {
    await host.writeFile(`/tmp/work/${name}`, name.endsWith('js') ? trap : '{"nodeOptions":{"require":"/tmp/work/trap.cjs"}}');
  }
  await host.writeFile('/tmp/work/package.json', '{"name":"x","type":"commonjs","main":"trap.cjs","imports":{"#x":"./trap.cjs"}}');
  for (const name of ['newuidmap', 'nsenter', 'crun', 'conmon', 'pasta', 'unshare'])
    await host.writeFile(`/tmp/work/${name}`, '#!/bin/sh\ntouch /tmp/trapped\n', 0o755);
  const options = {
    cwd: '/tmp/work',
    env: {
      NODE_OPTIONS: '--require /tmp/work/trap.cjs',
      NODE_PATH: '/tmp/work/node_modules',
      NODE_EXTRA_CA_CERTS: '/tmp/work/trap.cjs',
      NODE_REPL_EXTERNAL_MODULE: '/tmp/work/trap.cjs',
      NODE_COMPILE_CACHE: '/tmp/work/cache',
      // Relative entries lead into the working directory.
      PATH: '.::/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    },
  };
  for (const round of [1, 2]) {
    const program = '/opt/lichen/bin/lichen';
    const result = await host.run([program, 'run', '--rm', '--volume', '.:/mnt', IMAGE, 'ls', '/mnt/package.json'], options);
    expect({ round, ...result, stdoutBytes: undefined }).toEqual({
      round,
      stdout: '/mnt/package.json\n',
      stderr: '',
      exitCode: 0,
      stdoutBytes: undefined,
    });
  }
  expect(await host.lichen(['run', '--rm', '--network', 'none', IMAGE, 'env'], options)).toMatchObject({
    stdout: expect.not.stringMatching(/NODE_|LICHEN_|trap/),
  });
  expect(existsSync(host.path('/tmp/trapped'))).toBe(false);
  expect(existsSync(host.path('/tmp/work/cache'))).toBe(false);
});

describe.skipIf(!canMakeImages)('a helper of a running container is killed', () => {
  const KILLED: Readonly<Record<string, { readonly pattern: RegExp; readonly state: string; readonly exec: boolean }>> = {
    'the monitor': { pattern: MONITOR, state: 'running', exec: true },
    'its first process': { pattern: /^sleep 1000$/, state: 'exited', exec: false },
    pasta: { pattern: /^\S*pasta\S* /, state: 'running', exec: true },
    'all of them': { pattern: new RegExp(`${MONITOR.source}|sleep 1000|pasta`), state: 'exited', exec: false },
  };
  for (const [title, { pattern, state, exec }] of Object.entries(KILLED)) {
    test(`${title}: the next commands tell what is, and rm cleans up`, async () => {
      await using host = await testHost();
      await load(host);
      await host.succeed(['run', '--detach', '--name', 'one', '--network', 'pasta', IMAGE, 'sleep', '1000']);
      const victims = host.processes().filter(({ command }) => pattern.test(command));
      expect(victims).not.toEqual([]);
      await host.run(['kill', '-9', ...victims.map(({ pid }) => String(pid))]);
      await expect.poll(() => host.succeed(['ps', '--all', '--format', '{{.State}}']), { timeout: 10_000 }).toBe(state);
      expect((await host.lichen(['exec', 'one', 'true'])).exitCode === 0).toBe(exec);
      if (title !== 'its first process') {
        expect(await host.succeed(['stop', '--time', '0', 'one'])).toBe('one');
        expect(await host.succeed(['start', 'one'])).toBe('one');
        expect(await host.succeed(['exec', 'one', 'echo', 'again'])).toBe('again');
      }
      expect(await host.succeed(['rm', '--force', '--time', '0', 'one'])).toBe('one');
      await expectNothingLeft(host);
    });
  }
});
