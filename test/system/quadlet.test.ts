/** Quadlet files on a real `systemd --user`: from a file to a running container, with the generator and without. */
import { cpSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { convertAll } from '../../libpod/quadlet/convert.ts';
import { loadSources } from '../../libpod/quadlet/search.ts';
import { type QuadletCase, quadletCases, unpackCase } from '../fixtures/quadlet/cases.ts';
import { builtFixture } from '../fixtures/build/images.ts';
import { pushFixture } from '../fixtures/build/push.ts';
import { HOSTILE_CALLS, HOSTILE_FILES, HOSTILE_MOUNT } from '../fixtures/quadlet/hostile.ts';
import type { TestHost } from '../host/host.ts';
import { canShapeHosts, testHost } from '../host/host.ts';
import { BUSYBOX, canRunContainers, loadedHost, removeNow } from '../host/loaded.ts';
import { canRunRegistry, startRegistry } from '../host/registry.ts';
import { reboot } from '../host/reboot.ts';
import { canRunSystemd } from '../host/systemd.ts';

const LONG = { timeout: 30_000 };
const GENERATOR = '/opt/lichen/bin/lichen-quadlet';
const repository = join(import.meta.dirname, '../..');

const systemctl = async (host: TestHost, ...words: readonly string[]) => {
  const { stdout, stderr } = await host.run(['systemctl', '--user', ...words]);
  return (stdout + stderr).trim();
};
const state = (host: TestHost, unit: string) => systemctl(host, 'show', '--property=ActiveState', '--value', unit);
const quadlets = (host: TestHost) => `${host.user.home}/.config/containers/systemd`;
const units = (host: TestHost) => `${host.user.home}/.config/systemd/user`;

const CONTAINER = `[Container]
Image=${BUSYBOX}
Network=none
StopTimeout=0
`;
const WEB = `[Unit]
Description=A web of one
${CONTAINER}Exec=sh -c 'echo "$WORDS" > /data/words; exec sleep 1000'
Environment="WORDS=two  words"
Volume=data.volume:/data
[Install]
WantedBy=default.target
`;

describe.skipIf(!canRunContainers || !canRunSystemd)('an ordinary user whose systemd starts no generator', () => {
  let host: TestHost;
  beforeAll(async () => {
    host = await loadedHost(['busybox'], { systemd: true, allowLeaks: true });
    await host.writeFile('/tmp/app/web.container', WEB);
    await host.writeFile('/tmp/app/data.volume', '[Volume]\nLabel=made=by-unit\n');
    await host.writeFile('/tmp/app/notes.txt', 'x');
  });
  afterAll(() => host[Symbol.asyncDispose]());

  test('installs an app, whose units start at once and after a boot, and removes it', async () => {
    const paths = ['data.volume', 'notes.txt', 'web.container'].map((name) => `${quadlets(host)}/${name}`);
    expect((await host.succeed(['quadlet', 'install', '/tmp/app'])).split('\n').toSorted()).toEqual(paths);
    expect(await host.succeed(['quadlet', 'list', '--format', '{{.Name}} {{.UnitName}} {{.Status}} {{.App}}'])).toBe(
      'data.volume data-volume.service inactive/dead .app.app\nweb.container web.service inactive/dead .app.app',
    );
    expect(await systemctl(host, 'start', 'web')).toBe('');
    expect(await state(host, 'web')).toBe('active');
    expect(await host.succeed(['ps', '--format', '{{.Names}}'])).toBe('systemd-web');
    expect(await host.succeed(['volume', 'inspect', '--format', '{{.Labels.made}}', 'systemd-data'])).toBe('by-unit');
    await expect.poll(() => host.succeed(['exec', 'systemd-web', 'cat', '/data/words']), LONG).toBe('two  words');
    // Who kills the container has systemd see it.
    expect(await systemctl(host, 'show', '--property=MainPID', '--value', 'web')).toBe(
      await host.succeed(['inspect', '--format', '{{.State.ConmonPid}}', 'systemd-web']),
    );

    await reboot(host, { systemd: true });
    await expect.poll(() => state(host, 'web'), LONG).toBe('active');
    const refused = await host.lichen(['quadlet', 'rm', 'web.container']);
    expect(refused).toMatchObject({ exitCode: 125, stdout: '' });
    expect(refused.stderr).toMatch(
      /^Error: unable to remove Quadlet web\.container: quadlet [a-z-]+\.service is running and force is not set/,
    );
    expect((await host.succeed(['quadlet', 'rm', '--force', 'web.container'])).split('\n').toSorted()).toEqual([
      'data.volume',
      'web.container',
    ]);
    expect(await host.succeed(['ps', '--all', '--quiet'])).toBe('');
    expect((await host.run(['find', quadlets(host), units(host), '-not', '-type', 'd'])).stdout).toBe('');
    expect(await systemctl(host, 'show', '--property=LoadState', '--value', 'web')).toBe('not-found');
    await host.succeed(['volume', 'rm', 'systemd-data']);
  });

  test('sees a change after `quadlet setup`, and keeps his own units and links', async () => {
    await host.writeFile(`${quadlets(host)}/one.container`, `${CONTAINER}[Install]\nWantedBy=default.target\n`);
    await host.writeFile(`${quadlets(host)}/mine.container`, CONTAINER);
    await host.writeFile(`${units(host)}/mine.service`, '[Service]\nExecStart=true\n');
    await host.writeFile(`${units(host)}/other.service`, '[Service]\nExecStart=true\n[Install]\nWantedBy=default.target\n');
    expect(await systemctl(host, 'enable', 'other')).toContain('Created symlink');
    const first = await host.lichen(['quadlet', 'setup']);
    expect(first).toMatchObject({ exitCode: 0, stdout: `${units(host)}/one.service\n` });
    expect(first.stderr).toBe(
      `converting "mine.container": mine.service is there and is not lichen's (${units(host)}/mine.service). Write ServiceName=, or remove the unit\n`,
    );
    const links = async () => (await host.run(['ls', `${units(host)}/default.target.wants`])).stdout.split('\n').filter(Boolean);
    expect(await links()).toEqual(['one.service', 'other.service']);
    await host.writeFile(`${quadlets(host)}/one.container`, `${CONTAINER}Exec=sleep 7\n`);
    await host.run(['rm', `${quadlets(host)}/mine.container`]);
    await host.succeed(['quadlet', 'setup']);
    expect(await links()).toEqual(['other.service']);
    expect(await host.readFile(`${units(host)}/one.service`)).toContain(`${BUSYBOX} sleep 7\n`);
    expect(await host.readFile(`${units(host)}/mine.service`)).toBe('[Service]\nExecStart=true\n');
    await host.succeed(['quadlet', 'setup', '--remove']);
    expect((await host.run(['ls', units(host)])).stdout).toBe('default.target.wants\nmine.service\nother.service\n');
    await host.run(['rm', '-r', units(host), quadlets(host)]);
  });
});

describe.skipIf(!canRunContainers || !canRunSystemd || !canRunRegistry)('images, builds and artifacts', () => {
  test('are there when the containers start that name them, and a container without its image does not start', async () => {
    await using host = await loadedHost(['busybox'], { systemd: true, allowLeaks: true });
    const registry = await startRegistry(host);
    await pushFixture(await builtFixture('layered'), registry, 'team/layered', '1');
    await host.writeFile('/tmp/thing.txt', 'a thing\n');
    await host.succeed(['artifact', 'add', `${registry.name}/team/thing:1`, '/tmp/thing.txt']);
    await host.succeed(['artifact', 'push', '--quiet', '--tls-verify=false', `${registry.name}/team/thing:1`]);
    await host.succeed(['artifact', 'rm', `${registry.name}/team/thing:1`]);
    const container = (image: string, ...keys: readonly string[]) =>
      `${keys.join('\n')}\n${CONTAINER.replace(BUSYBOX, image)}Exec=sleep 1000\n`;
    const files = {
      Containerfile: `FROM ${BUSYBOX}\nARG WHO\nCOPY page /page\nRUN echo "by $WHO" >> /page\n`,
      page: 'made\n',
      'made.build': '[Build]\nImageTag=localhost/made:1\nSetWorkingDirectory=unit\nBuildArg=WHO=me\nPull=never\n',
      'pulled.image': `[Image]\nImage=${registry.name}/team/layered:1\nTLSVerify=false\n`,
      'gone.image': `[Image]\nImage=${registry.name}/team/gone:1\nTLSVerify=false\n`,
      'thing.artifact': `[Artifact]\nArtifact=${registry.name}/team/thing:1\nTLSVerify=false\n`,
      'one.container': container('made.build', '[Unit]', 'Requires=thing.artifact', 'After=thing.artifact'),
      'two.container': container('pulled.image'),
      'three.container': container('gone.image'),
    };
    for (const [name, text] of Object.entries(files)) await host.writeFile(`/tmp/kinds/${name}`, text);
    await host.succeed(['quadlet', 'install', '/tmp/kinds']);
    expect(await systemctl(host, 'start', 'one', 'two')).toBe('');
    expect(await host.succeed(['exec', 'systemd-one', 'cat', '/page'])).toBe('made\nby me');
    expect(await host.succeed(['exec', 'systemd-two', 'cat', '/data/kept'])).toBe('lower');
    expect((await host.succeed(['ps', '--format', '{{.Names}} {{.Image}}'])).split('\n').toSorted()).toEqual([
      'systemd-one localhost/made:1',
      `systemd-two ${registry.name}/team/layered:1`,
    ]);
    expect(await host.succeed(['artifact', 'ls', '--format', '{{.Repository}}:{{.Tag}}'])).toBe(`${registry.name}/team/thing:1`);
    expect(await systemctl(host, 'start', 'three')).toContain('A dependency job for three.service failed');
    expect(await state(host, 'gone-image')).toBe('failed');
    expect(await host.succeed(['ps', '--all', '--quiet', '--filter', 'name=three'])).toBe('');
    await host.succeed(['quadlet', 'rm', '--all', '--force']);
    expect(await host.succeed(['ps', '--all', '--quiet'])).toBe('');
  });
});

describe.skipIf(!canRunContainers || !canRunSystemd)('where root has put the generator', () => {
  test('a reload is enough: templates, drop-ins, a bad file beside a good one, and the end of a container', async () => {
    await using host = await loadedHost(['busybox'], { systemd: true, allowLeaks: true });
    const setup = await host.asRoot(['/opt/lichen/bin/lichen', 'quadlet', 'setup']);
    expect(setup).toMatchObject({ exitCode: 0, stderr: '' });
    expect(setup.stdout).toBe(
      '/etc/systemd/system-generators/lichen-system-generator\n/etc/systemd/user-generators/lichen-user-generator\n',
    );
    await host.writeFile(`${quadlets(host)}/bad.container`, 'nonsense\n');
    await host.writeFile(
      `${quadlets(host)}/t@.container`,
      `${CONTAINER}Exec=sleep 100%i\n[Install]\nWantedBy=default.target\nDefaultInstance=1\n`,
    );
    await host.writeFile(`${quadlets(host)}/own.container`, `${CONTAINER}Exec=sleep 1000\nGlobalArgs=--conmon=embedded\n`);
    await host.writeFile(`${quadlets(host)}/once.container`, `${CONTAINER}Exec=false\n`);
    await host.writeFile(`${quadlets(host)}/once.container.d/x.conf`, '[Container]\nExec=sh -c "exit 3"\n[Service]\nType=oneshot\n');
    expect(await systemctl(host, 'daemon-reload')).toBe('');
    expect(await systemctl(host, 'show', '--property=FragmentPath', '--value', 't@2')).toBe(
      `${host.user.runtimeDir}/systemd/generator/t@.service`,
    );
    expect(await systemctl(host, 'show', '--property=Wants', '--value', 'default.target')).toContain('t@1.service');
    await systemctl(host, 'start', 't@2');
    expect(await host.succeed(['ps', '--format', '{{.Names}} {{.Command}}'])).toBe('systemd-t_2 sleep 1002');
    // The machine's own.
    await host.writeFile('/tmp/r.container', CONTAINER);
    const rootInstall = await host.asRoot(['/opt/lichen/bin/lichen', 'quadlet', 'install', '/tmp/r.container']);
    expect(rootInstall).toMatchObject({ exitCode: 0, stdout: '/etc/containers/systemd/r.container\n', stderr: '' });
    // Written by nobody among the user's own.
    expect(await host.lichen(['quadlet', 'setup'])).toMatchObject({ exitCode: 0, stdout: '' });
    expect((await host.run(['ls', units(host)])).stdout).toBe('');
    await systemctl(host, 'start', 'once');
    expect(await systemctl(host, 'show', '--property=Result,ExecMainStatus', 'once')).toBe('Result=exit-code\nExecMainStatus=3');
    await systemctl(host, 'start', 'own');
    for (const [unit, name] of [
      ['t@2', 'systemd-t_2'],
      ['own', 'systemd-own'],
    ] as const) {
      await host.succeed(['kill', name]);
      await expect.poll(() => state(host, unit), LONG).toBe('failed');
      expect(await systemctl(host, 'show', '--property=ExecMainStatus', '--value', unit)).toBe('137');
    }
    expect(await host.succeed(['ps', '--all', '--quiet'])).toBe('');
    await host.asRoot(['/opt/lichen/bin/lichen', 'quadlet', 'setup', '--remove']);
    await systemctl(host, 'daemon-reload');
    expect(await systemctl(host, 'show', '--property=LoadState', '--value', 'once')).toBe('not-found');
    const again = await host.asRoot(['/opt/lichen/bin/lichen', 'quadlet', 'install', '--replace', '/tmp/r.container']);
    expect(again).toMatchObject({ exitCode: 0, stderr: 'systemd makes no units of them until `lichen quadlet setup` was run, once\n' });
    await removeNow(host, '--all');
  });
});

describe.skipIf(!canRunSystemd || !existsSync(join(repository, 'dist/quadlet.cjs')))('what systemd makes of the units', () => {
  test('C15: every word of a Quadlet file reaches the program as it was written, whatever is in it', async () => {
    await using host = await testHost({ systemd: true, allowLeaks: true });
    // A lichen that tells what it was called with, at a path that is hostile as well.
    const fake = '/tmp/a b $HOME 100%n';
    await host.writeFile(`${fake}/bin/lichen`, '#!/bin/sh\nprintf "%s\\0" "$@" > "$(mktemp /tmp/calls/XXXXXX)"\n', 0o755);
    await host.run(['mkdir', '/tmp/calls']);
    /** All calls since the last time. */
    const calls = async (): Promise<readonly (readonly string[])[]> => {
      const { stdout } = await host.run(['sh', '-c', 'for call in /tmp/calls/*; do cat "$call"; echo; rm "$call"; done']);
      return stdout
        .split('\0\n')
        .slice(0, -1)
        .map((call) => call.split('\0'));
    };
    for (const name of ['lichen-quadlet', 'tuning.sh']) cpSync(join(repository, 'bin', name), host.path(`${fake}/bin/${name}`));
    for (const name of ['quadlet.cjs', 'generator.cjs']) cpSync(join(repository, 'dist', name), host.path(`${fake}/dist/${name}`));
    const words: readonly (readonly [written: string, read: string])[] = [
      ['$(touch /tmp/x)', '$(touch /tmp/x)'],
      ['`id`', '`id`'],
      ['$HOME/x', '$HOME/x'],
      ['a$HOME', 'a$HOME'],
      [';', ';'],
      ['a;b', 'a;b'],
      [String.raw`a\nb`, 'a\nb'],
      [String.raw`\x22\x27\x5c`, `"'\\`],
      ['%%n', '%n'],
      ['%N', 'h'],
      ['$$HOME', '$HOME'],
      ['${NOT_SET}.', '.'],
      ['é ✓ 😀', 'é ✓ 😀'],
      ['', ''],
      ['[Service]', '[Service]'],
      ['# no comment', '# no comment'],
    ];
    const exec = words.map(([written]) => `"${written}"`).join(' ');
    const keys = [
      'HostName=$(id);b',
      'WorkingDir=/w x\\y',
      `Label="l=$(id)" 'm=a"b'`,
      String.raw`Environment="E=a\nb"`,
      'HealthCmd=test -f "/x y" || exit 1 ; true',
    ];
    await host.writeFile(
      `${quadlets(host)}/h.container`,
      ['[Container]', 'Image=quay.io/x:1', `Exec=${exec}`, ...keys, '[Service]', 'Type=oneshot', ''].join('\n'),
    );
    const node = (await host.run(['sh', '-c', 'echo /opt/lichen/node_modules/node-linux-*/bin/node'])).stdout.trim();
    await host.run(['mkdir', '-p', units(host)]);
    const made = await host.run([`${fake}/bin/lichen-quadlet`, '-user', units(host)], { env: { LICHEN_NODE: node } });
    expect(made).toMatchObject({ exitCode: 0, stderr: '' });
    await systemctl(host, 'daemon-reload');
    expect(await systemctl(host, 'start', 'h')).toBe('');
    const argv = (await calls()).find(([verb]) => verb === 'run')!;
    expect(argv.slice(argv.indexOf('quay.io/x:1') + 1)).toEqual(words.map(([, read]) => read));
    const value = (flag: string) => argv.flatMap((word, index) => (word === flag ? [argv[index + 1]] : []));
    expect(value('--hostname')).toEqual(['$(id);b']);
    expect(value('--workdir')).toEqual(['/w x\\y']);
    expect(value('--label')).toEqual(['l=$(id)', 'm=a"b']);
    expect(value('--env')).toEqual(['E=a\nb']);
    expect(value('--health-cmd')).toEqual(['test -f "/x y" || exit 1 ; true']);
    expect(existsSync(host.path('/tmp/x'))).toBe(false);

    // Every key of every kind.
    for (const { name, text } of HOSTILE_FILES) await host.writeFile(`${quadlets(host)}/${name}`, text);
    const all = await host.run([`${fake}/bin/lichen-quadlet`, '-user', units(host)], { env: { LICHEN_NODE: node } });
    expect(all).toMatchObject({ exitCode: 0, stderr: '' });
    await systemctl(host, 'daemon-reload');
    const services = HOSTILE_FILES.map(({ unit }) => unit);
    expect(await systemctl(host, 'start', ...services)).toBe('');
    const called = await calls();
    for (const { name, command, flags, last } of HOSTILE_FILES) {
      const call = called.find((one) => command.every((word) => one.includes(word)))!;
      const given = flags.map(([flag, wanted]) => [name, flag, call.filter((word, at) => call[at - 1] === flag && word === wanted)]);
      expect(given).toEqual(flags.map(([flag, wanted]) => [name, flag, [wanted]]));
      expect(call.slice(-last.length)).toEqual(last);
    }
    // systemctl quotes as well.
    const mounts = await systemctl(host, 'show', '-P', 'RequiresMountsFor', 'c');
    expect(mounts.replaceAll(/\\(.)/g, '$1')).toContain(HOSTILE_MOUNT);
    expect(await systemctl(host, 'reload', 'c')).toBe('');
    expect(await systemctl(host, 'stop', ...services)).toBe('');
    expect(await calls()).toEqual(expect.arrayContaining(HOSTILE_CALLS.map((call) => expect.arrayContaining([...call]) as string[])));
  });

  /** These say something to systemd that it does not take, and are given to it as they are. */
  const OWN_MISTAKES = new Set(['builds', 'container-service-keys', 'dependencies', 'duplicate-unknowns']);

  test('C15: systemd-analyze has nothing to say of any unit', async () => {
    await using host = await testHost({ systemd: true, allowLeaks: true });
    const cases = quadletCases().filter(({ name }) => !OWN_MISTAKES.has(name));
    const files = cases.flatMap((one, number) => apart(unitsOf(one), `case${number}-`));
    expect(files.length).toBeGreaterThan(100);
    for (const { name, text } of files) await host.writeFile(`/tmp/units/${name}`, text);
    const verify = 'exec systemd-analyze --user verify --man=no *.service';
    const { stderr } = await host.run(['sh', '-c', verify], { cwd: '/tmp/units' });
    expect(stderr.split('\n').filter((line) => line !== '' && !line.includes("Unknown key 'UpheldBy'"))).toEqual([]);
  });

  interface NamedText {
    readonly name: string;
    readonly text: string;
  }

  function unitsOf(one: QuadletCase): readonly NamedText[] {
    using unpacked = unpackCase(one);
    const { sources } = loadSources([unpacked.directory], { uid: 2000, rootless: true, env: {} });
    const program = '/opt/lichen/bin/lichen';
    const machine = { account: () => 0, deviceExists: () => true };
    return convertAll({ sources, rootless: true, program, missing: {}, missingKeys: {}, ...machine }).units;
  }

  /** Under names that no other case has, also where they name each other, and templates as instances. */
  function apart(all: readonly NamedText[], prefix: string): readonly NamedText[] {
    const names = all.map(({ name }) => name.replace('.service', ''));
    const named = new RegExp(String.raw`(?<![\w@.:-])(?=(?:${names.map((name) => RegExp.escape(name)).join('|')})\.service)`, 'g');
    return all.map(({ name, text }) => ({ name: prefix + name.replace('@.', '@i.'), text: text.replaceAll(named, prefix) }));
  }
});

describe.skipIf(!canShapeHosts)('the generator as a program', () => {
  test('says what it was not given, and writes to the first directory alone', async () => {
    await using host = await testHost();
    const generator = (...words: readonly string[]) => host.run([GENERATOR, ...words]);
    expect(await generator('-user')).toMatchObject({
      exitCode: 1,
      stdout: '',
      stderr: expect.stringMatching(/^quadlet-generator\[\d+\]: missing output directory argument\n$/) as string,
    });
    expect(await generator('-bogus')).toMatchObject({
      exitCode: 2,
      stdout: '',
      stderr: expect.stringContaining('flag provided but not defined: -bogus\nUsage of ') as string,
    });
    expect(await generator('-h')).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('-no-kmsg-log') as string });
    expect((await generator('--version')).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    const none = await generator('-dryrun', '-user');
    expect(none).toMatchObject({ exitCode: 0, stdout: '' });
    expect(none.stderr).toContain('No files parsed from [');

    await host.writeFile(`${quadlets(host)}/a.container`, '[Container]\nImage=quay.io/x:1\n[Install]\nWantedBy=default.target\n');
    await host.writeFile(`${quadlets(host)}/b.container`, '[Container]\nImage=quay.io/x:1\nFoo=1\n');
    await host.run(['mkdir', '-p', '/tmp/n', '/tmp/e', '/tmp/l']);
    const written = await generator('-user', '-no-kmsg-log', '/tmp/n', '/tmp/e', '/tmp/l');
    expect(written).toMatchObject({ exitCode: 1, stdout: '' });
    expect(written.stderr.replace(/\d+/, 'PID')).toBe(
      `quadlet-generator[PID]: converting "b.container": unsupported key 'Foo' in group 'Container' in ${quadlets(host)}/b.container (${quadlets(host)}/b.container:3, key Foo)\n`,
    );
    expect(
      (await host.run(['find', '/tmp/n', '/tmp/e', '/tmp/l', '-not', '-type', 'd'])).stdout.split('\n').toSorted().join(' ').trim(),
    ).toBe('/tmp/n/a.service /tmp/n/default.target.wants/a.service');
    const dry = await generator('-dryrun', '-user');
    expect(dry.stdout).toContain('---a.service---\n[Install]\nWantedBy=default.target\n\n[Unit]\n');
    expect(dry.stderr).toContain(`Loading source unit file ${quadlets(host)}/a.container\n`);
    const unwritable = await generator('-user', '/proc/nothing');
    expect(unwritable).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('error writing unit: no such file or directory (/proc/nothing/a.service)') as string,
    });
  });
});
