/** From what runs to what is declared: the units of the files that `generate quadlet` writes make the same again. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestHost } from '../host/host.ts';
import { BUSYBOX, canRunContainers, loadedHost, removeNow, sh } from '../host/loaded.ts';
import { canRunSystemd } from '../host/systemd.ts';

const LONG = { timeout: 30_000 };
/** What a unit sets in its own way, or what is another's each time. */
const OWN = [
  'PODMAN_SYSTEMD_UNIT',
  'Cgroups',
  'CgroupsMode',
  'CgroupParent',
  'AutoRemove',
  'Path',
  'RestartPolicy',
  'io.podman.annotations.autoremove',
];

interface Document {
  readonly Config: Record<string, unknown>;
  readonly HostConfig: Record<string, unknown>;
  readonly Mounts: readonly Record<string, unknown>[];
}

describe.skipIf(!canRunContainers || !canRunSystemd)('generate quadlet', () => {
  let host: TestHost;
  beforeAll(async () => {
    host = await loadedHost(['busybox'], { systemd: true, allowLeaks: true });
  });
  afterAll(() => host[Symbol.asyncDispose]());

  const systemctl = async (...words: readonly string[]) => {
    const { stdout, stderr } = await host.run(['systemctl', '--user', ...words]);
    return (stdout + stderr).trim();
  };
  const described = async (name: string) => {
    const [document] = JSON.parse(await host.succeed(['inspect', name])) as [Document];
    const { Config, HostConfig, Mounts } = document;
    const { CreateCommand: _command, sdNotifyMode: _mode, sdNotifySocket: _socket, Env, ...config } = Config;
    const json = JSON.stringify({ config: { ...config, Env: (Env as string[]).toSorted() }, HostConfig, Mounts }, (key, value: unknown) =>
      OWN.includes(key) ? undefined : value,
    );
    return JSON.parse(json) as object;
  };
  const volume = async (name: string) => {
    const [{ CreatedAt: _created, MountCount: _count, ...rest }] = JSON.parse(await host.succeed(['volume', 'inspect', name])) as [
      Record<string, unknown>,
    ];
    return rest;
  };

  test('a container and its volume: what inspect tells is the same', async () => {
    await host.writeFile(`${host.user.home}/project/site/page`, 'hello\n');
    await host.succeed([
      'volume',
      'create',
      '--label',
      'of=two  words',
      '--opt',
      'o=size=1m',
      '--opt',
      'type=tmpfs',
      '--opt',
      'device=tmpfs',
      'data',
    ]);
    const plain = `--name=web -dt --network none -v data:/data -v ./site:/site:ro --hostname=inside -w /tmp -e EMPTY= --label bare --cap-drop all
      --cap-add chown -u 0:0 --ulimit nofile=100:200 --tmpfs /run/own:size=1m --stop-timeout 0 --stop-signal=SIGKILL --restart on-failure:3
      --init=false --read-only --add-host other:10.0.0.1 --health-interval=disable --log-opt max-size=1m --security-opt no-new-privileges
      --shm-size 1m --env=HERE --umask 0027 --tz=UTC --sysctl kernel.shmmax=100000000`;
    const hostile = [
      ['-e', 'WORDS=two  "words" $HOME ${HOME} %n %% \\ back'],
      ['-e', 'LINES=one\ntwo'],
      ['--label', 'a=b c'],
      ['--annotation', 'org.example.a=%h $x'],
      ['--health-cmd', 'test -e /data'],
    ];
    const flags = [...plain.split(/\s+/), ...hostile.flat()];
    const script = 'printf %s "$WORDS" > /data/words; exec sleep 1000 # $$ %n ;';
    await host.succeed(['run', ...flags, '--', BUSYBOX, ...sh(script), ';', '', 'last word'], {
      cwd: `${host.user.home}/project`,
      env: { HERE: 'and now' },
    });
    const before = { web: await described('web'), data: await volume('data') };
    expect(before.web).toMatchObject({ config: { Hostname: 'inside' } });
    await host.writeFile('/tmp/app.quadlets', `${await host.succeed(['generate', 'quadlet', 'web', 'data'])}\n`);
    await removeNow(host, 'web');
    await host.succeed(['volume', 'rm', 'data']);

    expect(await host.lichen(['quadlet', 'check', '/tmp/app.quadlets'])).toMatchObject({ stderr: '', exitCode: 0 });
    await host.succeed(['quadlet', 'install', '/tmp/app.quadlets']);
    await host.run(['systemctl', '--user', 'set-environment', 'HERE=and now']);
    expect(await systemctl('start', 'web')).toBe('');
    expect(await systemctl('show', '--property=Restart', '--value', 'web')).toBe('on-failure');
    expect({ web: await described('web'), data: await volume('data') }).toEqual(before);
    await expect
      .poll(() => host.lichen(['exec', 'web', 'cat', '/data/words']).then(({ stdout }) => stdout), LONG)
      .toBe('two  "words" $HOME ${HOME} %n %% \\ back');
    await host.succeed(['quadlet', 'rm', '--force', 'web.container']);
    await host.succeed(['volume', 'rm', 'data']);
  });

  test('a network', async () => {
    const flags = [
      '--subnet',
      '10.99.3.0/24',
      '--ip-range',
      '10.99.3.128/25',
      '--subnet',
      'fd00:99::/64',
      '--label',
      'a=b c',
      '--opt',
      'mtu=1400',
    ];
    await host.succeed(['network', 'create', '--internal', '--dns', '10.99.3.7', '--disable-dns=false', ...flags, 'inner']);
    const network = async () => {
      const [{ created: _created, id: _id, ...rest }] = JSON.parse(await host.succeed(['network', 'inspect', 'inner'])) as [
        Record<string, unknown>,
      ];
      return rest;
    };
    const before = await network();
    expect(await host.succeed(['generate', 'quadlet', '--files', 'inner'], { cwd: '/tmp' })).toBe('/tmp/inner.network');
    await host.succeed(['network', 'rm', 'inner']);
    await host.succeed(['quadlet', 'install', '/tmp/inner.network']);
    expect(await systemctl('start', 'inner-network')).toBe('');
    expect(await network()).toEqual(before);
    await host.succeed(['quadlet', 'rm', '--force', 'inner.network']);
    await host.succeed(['network', 'rm', 'inner']);
  });

  test('a pod and its containers', async () => {
    const flags = ['--network', 'none', '--hostname', 'inside', '--label', 'a=b c $x %n', '-v', 'shared:/shared', '--shm-size', '1m'];
    await host.succeed(['pod', 'create', '--name=app', '--exit-policy', 'continue', ...flags]);
    await host.succeed([
      'run',
      '-d',
      '--pod',
      'app',
      '--name',
      'member',
      '-l',
      'in=pod',
      '-e',
      'A=x y',
      '--stop-timeout=0',
      BUSYBOX,
      'sleep',
      '1000',
    ]);
    const both = async () => {
      const [pod] = JSON.parse(await host.succeed(['pod', 'inspect', 'app'])) as [Record<string, unknown>];
      const { Name, Labels, ExitPolicy, Hostname, SharedNamespaces, InfraConfig, NumContainers, State } = pod;
      const document = { Name, Labels, ExitPolicy, Hostname, SharedNamespaces, InfraConfig, NumContainers, State };
      const text = JSON.stringify([document, await described('member')], (key, value: unknown) => (OWN.includes(key) ? undefined : value));
      return JSON.parse(text.replaceAll(/[0-9a-f]{64}/g, 'ID')) as object;
    };
    const before = await both();
    expect(before).toMatchObject([{ Hostname: 'inside', State: 'Running', NumContainers: 2 }, { config: { Hostname: 'inside' } }]);
    await host.writeFile('/tmp/pod.quadlets', `${await host.succeed(['generate', 'quadlet', 'app', 'shared', 'member'])}\n`);
    await host.succeed(['pod', 'rm', '--force', '--time=0', 'app']);
    await host.succeed(['volume', 'rm', 'shared']);

    expect(await host.lichen(['quadlet', 'check', '/tmp/pod.quadlets'])).toMatchObject({ stderr: '', exitCode: 0 });
    await host.succeed(['quadlet', 'install', '/tmp/pod.quadlets']);
    expect(await systemctl('start', 'app-pod', 'member')).toBe('');
    expect(await both()).toEqual(before);
    await host.succeed(['quadlet', 'rm', '--force', 'member.container', 'app.pod', 'shared.volume']);
    await host.succeed(['volume', 'rm', 'shared']);
  });

  test('bad input is one error, and no file is written', async () => {
    await host.succeed(['pod', 'create', '--infra=false', 'bare']);
    await host.succeed(['create', '--pod', 'new:fresh', '--name', 'alone', BUSYBOX, 'true']);
    await host.succeed(['create', '--name', 'same', '--network=none', BUSYBOX, 'true']);
    await host.succeed(['volume', 'create', 'same2']);
    for (const [argv, exitCode, stderr] of [
      [['nosuch'], 125, 'Error: no container, pod, volume or network "nosuch" found\n'],
      [['bare'], 125, expect.stringContaining('Error: pod bare has no infra container, and a .pod file makes one\n')],
      [['fresh'], 125, expect.stringContaining('Error: pod does not appear to be created via `lichen pod create`: [')],
      [['same', 'nosuch'], 125, 'Error: no container, pod, volume or network "nosuch" found\n'],
      [['--files', 'same'], 125, expect.stringContaining('Error: writing /proc/same.container: ')],
    ] as const) {
      expect(await host.lichen(['generate', 'quadlet', ...argv], { cwd: '/proc' })).toMatchObject({ stdout: '', exitCode, stderr });
    }
    expect(await host.lichen(['generate', 'quadlet'])).toMatchObject({ exitCode: 125 });
    await host.succeed(['pod', 'rm', '--force', 'bare', 'fresh']);
    await host.succeed(['rm', 'same']);
    await host.succeed(['volume', 'rm', 'same2']);
  });
});
