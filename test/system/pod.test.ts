/** Pods: what their containers share, the verbs that act on all of them, and what is refused. */
import { dirname } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { TestHost } from '../host/host.ts';
import { BUSYBOX, canRunContainers, loadedHost, sh } from '../host/loaded.ts';

let host: TestHost;
const ID = /^[0-9a-f]{64}$/;

async function pod(name: string, ...flags: readonly string[]): Promise<string> {
  return host.succeed(['pod', 'create', '--name', name, '--network', 'none', ...flags]);
}

async function member(podName: string, name: string, ...rest: readonly string[]): Promise<string> {
  return host.succeed(['create', '--pod', podName, '--name', name, BUSYBOX, ...(rest.length > 0 ? rest : ['sleep', '1000'])]);
}

/** `Status: state of each container, the oldest first`. */
async function states(name: string): Promise<string> {
  return host.succeed(['pod', 'inspect', '-f', '{{.State}}:{{range .Containers}} {{.State}}{{end}}', name]);
}

describe.skipIf(!canRunContainers)('pods', () => {
  beforeAll(async () => {
    host = await loadedHost();
  });
  afterEach(async () => {
    await host.lichen(['pod', 'rm', '-a', '-f', '-t', '0']);
    await host.lichen(['rm', '-a', '-f', '-t', '0']);
  });
  afterAll(() => host[Symbol.asyncDispose]());

  test('a pod is made, started, stopped and removed as one, and leaves nothing', async () => {
    const id = await pod('one', '--label', 'a=b', '--add-host', 'there:10.9.8.7');
    expect(id).toMatch(ID);
    expect(await states('one')).toBe('Created: created');
    await member('one', 'first');
    await member('one', 'second', 'sh', '-c', 'cat /proc/self/comm > /dev/shm/seen; exec sleep 1000');
    expect(await host.succeed(['pod', 'start', 'one'])).toBe('one');
    expect(await states('one')).toBe('Running: running running running');
    const inside = (name: string, script: string) => host.succeed(['exec', name, ...sh(script)]);
    for (const namespace of ['net', 'ipc', 'uts']) {
      const link = `readlink /proc/self/ns/${namespace}`;
      expect(await inside('second', link)).toBe(await inside('first', link));
    }
    expect(await inside('first', 'readlink /proc/self/ns/pid')).not.toBe(await inside('second', 'readlink /proc/self/ns/pid'));
    expect(await inside('first', 'hostname; cat /dev/shm/seen; grep there /etc/hosts')).toBe('one\ncat\n10.9.8.7\tthere');
    // They talk on localhost.
    await host.succeed(['exec', '-d', 'first', ...sh('echo hello | nc -l -p 8080')]);
    expect(await inside('second', 'until nc 127.0.0.1 8080 < /dev/null; do :; done')).toBe('hello');
    // Their cgroups have a parent of their own.
    const parents = (await host.succeed(['inspect', '-f', '{{.State.CgroupPath}}', 'first', 'second']))
      .split('\n')
      .map((path) => dirname(path));
    expect(parents[0]).toContain(id);
    expect(parents[1]).toBe(parents[0]);
    expect(await host.succeed(['pod', 'pause', 'one'])).toBe(id);
    expect(await states('one')).toBe('Paused: paused paused paused');
    expect(await host.succeed(['pod', 'unpause', 'one'])).toBe(id);
    expect(await host.succeed(['pod', 'unpause', 'one'])).toBe('');
    await host.succeed(['kill', 'first']);
    await host.succeed(['wait', 'first']);
    expect(await states('one')).toBe('Degraded: running exited running');
    expect(await host.succeed(['pod', 'restart', 'one'])).toBe(id);
    expect(await states('one')).toBe('Running: running running running');
    expect(await host.succeed(['pod', 'stop', '-t', '0', 'one'])).toBe('one');
    expect(await states('one')).toBe('Exited: exited exited exited');
    // The program of the infra container ends when it is asked to.
    const infra = await host.succeed(['pod', 'inspect', '-f', '{{.InfraContainerID}}', 'one']);
    await host.succeed(['start', infra]);
    await host.succeed(['stop', infra]);
    expect(await host.succeed(['inspect', '-f', '{{.State.ExitCode}} {{.IsInfra}} {{.Pod}}', infra])).toBe(`0 true ${id}`);
    // A container takes the infra container along.
    await host.succeed(['start', 'first']);
    expect(await states('one')).toBe('Degraded: running running exited');
    expect(await host.succeed(['pod', 'kill', 'one'])).toBe(id);
    await host.succeed(['wait', 'first', infra]);
    expect(await states('one')).toBe('Exited: exited exited exited');
    expect(await host.succeed(['pod', 'rm', 'one'])).toBe(id);
    expect((await host.run(['ls', `/sys/fs/cgroup${parents[0]}`])).exitCode).not.toBe(0);
    expect(await host.succeed(['ps', '-a', '-q'])).toBe('');
    expect((await host.lichen(['pod', 'exists', 'one'])).exitCode).toBe(1);
    const events = await host.succeed(['events', '--stream=false', '--since', '10m', '--filter', 'type=pod', '--format', '{{.Status}}']);
    expect(events.split('\n')).toEqual(['create', 'start', 'pause', 'unpause', 'restart', 'stop', 'kill', 'remove']);
  });

  test('ps, inspect and filters tell which pod a container is in', async () => {
    const id = await pod('listed', '-l', 'x=y');
    const first = await member('listed', 'first');
    const infra = await host.succeed(['pod', 'inspect', '-f', '{{.InfraContainerID}}', 'listed']);
    await host.succeed(['create', '--name', 'alone', BUSYBOX, 'true']);
    const short = id.slice(0, 12);
    const rows = await host.succeed(['ps', '-a', '--format', '{{.Names}} {{.Pod}} {{.PodName}} {{.IsInfra}}']);
    expect(rows.split('\n').toSorted()).toEqual(
      [`${short}-infra ${short} listed true`, 'alone   false', `first ${short} listed false`].toSorted(),
    );
    expect(await host.succeed(['ps', '-a', '-q', '--no-trunc', '--filter', 'pod=listed'])).toBe([infra, first].join('\n'));
    expect(await host.succeed(['ps', '-a', '-q', '--filter', 'pod=nosuch'])).toBe('');
    expect(await host.succeed(['inspect', '-f', '{{.Pod}} {{.Dependencies}}', 'first'])).toBe(`${id} [${infra}]`);
    expect(await host.succeed(['inspect', '-f', '{{.Name}}', 'listed'])).toBe('listed');
    expect(await host.succeed(['pod', 'ps', '-n', '--format', '{{.ID}} {{.Name}} {{.InfraID}} {{.NumberOfContainers}} {{.Labels}}'])).toBe(
      `${short} listed ${infra.slice(0, 12)} 2 map[x:y]`,
    );
    const filtered = (...filters: readonly string[]) => host.succeed(['pod', 'ps', '-q', ...filters.flatMap((one) => ['--filter', one])]);
    const matching = [
      'name=list',
      `id=${short}`,
      'label=x=y',
      'label!=z',
      'status=created',
      'ctr-names=first',
      'ctr-number=2',
      'ctr-status=created',
      `ctr-ids=${first}`,
    ];
    for (const one of matching) expect(await filtered(one), one).toBe(id);
    for (const one of [
      'name=^x',
      'id=0g',
      'label=z',
      'status=running',
      'ctr-names=nobody',
      'ctr-number=3',
      'ctr-status=running',
      'network=n',
      'until=1h',
    ])
      expect(await filtered(one), one).toBe('');
  });

  test('running containers keep a pod, and its infra container goes with it alone', async () => {
    const id = await pod('kept');
    await host.succeed(['run', '-d', '--pod', 'kept', '--name', 'busy', BUSYBOX, 'sleep', '1000']);
    const infra = await host.succeed(['pod', 'inspect', '-f', '{{.InfraContainerID}}', 'kept']);
    const busy = await host.succeed(['inspect', '-f', '{{.Id}}', 'busy']);
    const { exitCode, stderr } = await host.lichen(['pod', 'rm', 'kept']);
    expect(exitCode).toBe(125);
    expect(stderr.split('\n').filter((line) => line.startsWith('Error'))).toEqual([
      `Error: not all containers could be removed from pod ${id}: removing pod containers`,
      `Error: error removing container ${infra} from pod ${id}: a container that depends on container ${infra} could not be stopped: container state improper`,
      `Error: error removing container ${busy} from pod ${id}: cannot remove container ${busy} as it is running - running or paused containers cannot be removed without force: container state improper`,
    ]);
    expect(await states('kept')).toBe('Running: running running');
    for (const force of [[], ['-f']]) {
      const refused = await host.lichen(['rm', ...force, infra]);
      expect(refused.exitCode).toBe(125);
      expect(refused.stderr).toContain(
        `Error: container ${infra} is the infra container of pod ${id} and cannot be removed without removing the pod\n`,
      );
    }
    expect(await host.succeed(['container', 'prune', '-f'])).toBe('');
    expect(await host.succeed(['rm', '--depend', '-f', '-t', '0', infra])).toContain(infra);
    expect((await host.lichen(['pod', 'exists', 'kept'])).exitCode).toBe(1);
    await pod('again');
    await member('again', 'rests');
    await host.succeed(['rm', '-a', '-f']);
    expect(await host.succeed(['pod', 'ps', '-q'])).toBe('');
  });

  test("ports and volumes are the pod's, init containers run before, and the exit policy ends it with its last container", async () => {
    await host.run(['mkdir', '-p', 'shared']);
    await host.succeed([
      'pod',
      'create',
      '--name',
      'web',
      '-p',
      '127.0.0.1:18083:80',
      '-v',
      './shared:/shared',
      '--exit-policy',
      'stop',
      '--share',
      '+pid',
      '--pod-id-file',
      'pod.id',
    ]);
    const id = await host.succeed(['pod', 'inspect', '-f', '{{.Id}}', 'web']);
    const create = (name: string, ...words: readonly string[]) =>
      host.succeed(['create', '--pod-id-file', 'pod.id', '--name', name, ...words]);
    await create(
      'server',
      BUSYBOX,
      ...sh('cat /shared/*; echo up >&2; trap "exit 0" USR1; httpd -p 80 -h /shared; while :; do sleep 0.05; done'),
    );
    await create('once', '--init-ctr', 'once', BUSYBOX, ...sh('echo first > /shared/1'));
    await create('always', '--init-ctr', 'always', BUSYBOX, ...sh('test -e /shared/1 && echo again >> /shared/2'));
    await create('needing', '--requires', 'server', BUSYBOX, ...sh('exec sleep 1000'));
    expect(await host.succeed(['pod', 'start', '--pod-id-file', 'pod.id'])).toBe('web');
    expect((await host.lichen(['container', 'exists', 'once'])).exitCode).toBe(1);
    expect(await states('web')).toBe('Running: running running exited running');
    await expect.poll(() => host.run(['wget', '-q', '-O', '-', 'http://127.0.0.1:18083/2']).then(({ stdout }) => stdout)).toBe('again\n');
    const ports = await host.succeed(['ps', '--filter', 'pod=web', '--format', '{{.Ports}}']);
    expect([...new Set(ports.split('\n'))]).toEqual(['127.0.0.1:18083->80/tcp']);
    const server = await host.succeed(['inspect', '-f', '{{slice .Id 0 12}}', 'server']);
    expect((await host.lichen(['pod', 'logs', 'web'])).stdout).toBe(`${server} first\n${server} again\n`);
    expect(await host.lichen(['pod', 'logs', '-n', '--tail', '1', '-c', 'server', 'web'])).toMatchObject({ stdout: '', stderr: 'up\n' });
    expect(await host.lichen(['pod', 'logs', '-c', 'nobody', 'web'])).toMatchObject({
      exitCode: 125,
      stderr: 'Error: container nobody is not in pod web: no such container\n',
    });
    const top = await host.succeed(['pod', 'top', 'web', 'pid', 'comm']);
    expect(top.split('\n').map((line) => line.split(/\s+/)[1])).toEqual(expect.arrayContaining(['COMMAND', 'pause', 'sh', 'sleep']));
    expect(top.split('\n').filter((line) => line.endsWith('pause'))).toHaveLength(1);
    const stats = JSON.parse(await host.succeed(['pod', 'stats', '--no-stream', '--format', 'json', 'web'])) as {
      Name: string;
      Pod: string;
    }[];
    expect(stats.map(({ Name }) => Name)).toEqual([`${id.slice(0, 12)}-infra`, 'server', 'always', 'needing']);
    await host.succeed(['kill', '-s', 'USR1', 'server']);
    await host.succeed(['wait', 'server']);
    expect(await states('web')).toBe('Degraded: running exited exited running');
    await host.succeed(['stop', '-t', '0', 'needing']);
    await expect.poll(() => states('web')).toBe('Exited: exited exited exited exited');
    expect(await host.succeed(['pod', 'prune', '-f'])).toBe(id);
    await host.run(['rm', '-r', 'shared', 'pod.id']);
  });

  test('twenty containers go with their pod at once, whatever image its infra container has', async () => {
    await pod('many', '--infra-image', BUSYBOX, '--infra-command', 'sleep 1000', '--infra-name', 'base');
    for (let index = 0; index < 20; index++) await member('many', `many-${index}`, ...sh('trap : TERM; sleep 1000'));
    expect(await host.succeed(['pod', 'start', 'many'])).toBe('many');
    expect(await host.succeed(['pod', 'ps', '--format', '{{.Status}} {{.NumberOfContainers}}'])).toBe('Running 21');
    expect(await host.succeed(['inspect', '-f', '{{.ImageName}} {{.Path}}', 'base'])).toBe(`${BUSYBOX}:latest sleep`);
    await host.succeed(['pod', 'rm', '--force', '--time=0', 'many']);
    expect(await host.succeed(['ps', '--all', '--quiet'])).toBe('');
    expect(await host.succeed(['pod', 'ps', '--quiet'])).toBe('');
  });

  test('a limit that cannot be kept keeps a pod from starting', async () => {
    await pod('limited', '--memory', '100m');
    expect(await host.succeed(['pod', 'inspect', '-f', '{{json .}}', 'limited'])).toContain('"memory_limit":104857600');
    const { exitCode, stderr } = await host.lichen(['pod', 'start', 'limited']);
    const controllers = (await host.run(['sh', '-c', 'cat /sys/fs/cgroup/cgroup.controllers'])).stdout;
    if (controllers.includes('memory')) return expect(exitCode).toBe(0);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 125, stderr: expect.stringMatching(/^Error: --memory cannot be applied/) });
  });

  test('cgroups of containers lie below that of their pod, but for --share-parent=false', async () => {
    for (const [name, flags] of Object.entries({ family: [], loose: ['--share-parent=false'] })) {
      const id = await pod(name, ...flags);
      await member(name, `of-${name}`);
      await host.succeed(['pod', 'start', name]);
      const path = await host.succeed(['inspect', '-f', '{{.State.CgroupPath}}', `of-${name}`]);
      expect(path.includes(`libpod-pod-${id}/`), path).toBe(name === 'family');
    }
  });

  test('an init container that fails keeps the rest from starting', async () => {
    await pod('stuck');
    const init = await host.succeed(['create', '--pod', 'stuck', '--init-ctr', 'always', BUSYBOX, ...sh('exit 3')]);
    await member('stuck', 'never');
    const { exitCode, stderr } = await host.lichen(['pod', 'start', 'stuck']);
    expect(exitCode).toBe(125);
    expect(stderr).toContain(`Error: init container ${init} exited with code 3\n`);
    expect(await states('stuck')).toBe('Degraded: running exited created');
  });

  test('--pod new: makes a pod of what is asked for the container, and pod clone makes another like it', async () => {
    const flags = ['--pod', 'new:fresh', '--name', 'in', '--network', 'none', '--add-host', 'h:10.1.2.3', '--hostname', 'called'];
    await host.succeed(['run', '-d', ...flags, BUSYBOX, 'sleep', '1000']);
    expect(await host.succeed(['exec', 'in', ...sh('hostname; grep -c 10.1.2.3 /etc/hosts')])).toBe('called\n1');
    expect(await host.succeed(['inspect', '-f', '{{.HostConfig.NetworkMode}}', 'in'])).toMatch(/^container:/);
    const clone = await host.succeed(['pod', 'clone', '--start', '--label', 'c=d', 'fresh', 'copied']);
    expect(await host.succeed(['pod', 'inspect', '-f', '{{.Id}} {{.State}} {{.NumContainers}} {{.Labels.c}}', 'copied'])).toBe(
      `${clone} Running 2 d`,
    );
    const infra = (name: string) => host.succeed(['pod', 'inspect', '-f', '{{.InfraContainerID}}', name]);
    expect(await host.succeed(['inspect', '-f', '{{.HostConfig.NetworkMode}} {{.Dependencies}} {{.Pod}}', 'in-clone'])).toBe(
      `container:${await infra('copied')} [${await infra('copied')}] ${clone}`,
    );
    await host.succeed(['pod', 'clone', '--destroy', 'fresh']);
    expect(await host.succeed(['pod', 'ps', '-n', '--sort', 'name', '--format', '{{.Name}}'])).toBe('copied\nfresh-clone');
    await host.succeed(['pod', 'rm', '--force', '--time=0', '--all']);
  });

  test('pod clone: volumes and a user namespace are those of all of the new pod, and the original keeps its own', async () => {
    await pod('first', '-v', 'old:/common', '-v', 'stays:/stays');
    await host.succeed(['create', '--pod', 'first', '--name', 'worker', '-v', 'own:/own', BUSYBOX, 'sleep', '1000']);
    await host.succeed(['create', '--name', 'other', '-v', 'theirs:/theirs', BUSYBOX, 'true']);
    const flags = ['-v', 'new:/common', '-v', 'more:/own', '--volumes-from', 'other:ro', '--userns', 'keep-id', '--pid', 'host'];
    await host.succeed(['pod', 'clone', '--start', ...flags, 'first', 'second']);
    const shown = (name: string) =>
      host.succeed(['inspect', name, '-f', '{{range .Mounts}}{{.Destination}}={{.Name}}:{{.RW}} {{end}}{{.HostConfig.UsernsMode}}']);
    const infra = await host.succeed(['pod', 'inspect', '-f', '{{.InfraContainerID}}', 'second']);
    expect(await shown(infra)).toBe('/common=new:true /own=more:true /stays=stays:true /theirs=theirs:false private');
    expect(await shown('worker-clone')).toBe(`/common=new:true /own=own:true /stays=stays:true /theirs=theirs:false container:${infra}`);
    expect(await shown('worker')).toBe('/common=old:true /own=own:true /stays=stays:true ');
    const users = (name: string) => host.succeed(['exec', name, 'readlink', '/proc/self/ns/user']);
    await host.succeed(['pod', 'start', 'first']);
    expect(await users('worker-clone')).not.toBe(await users('worker'));
    expect(await host.succeed(['pod', 'inspect', '-f', '{{.SharedNamespaces}} {{.InfraConfig.PidNS}}', 'second'])).toBe(
      '[ipc net user uts] host',
    );
    await host.succeed(['pod', 'clone', '--start', '--userns', 'host', 'second', 'third']);
    expect(await host.succeed(['pod', 'inspect', '-f', '{{.SharedNamespaces}}', 'third'])).toBe('[ipc net uts]');
    await host.succeed(['pod', 'clone', '--start', '--uidmap', '0:0:10', '--gidmap', '0:0:10', 'first', 'fourth']);
    expect(await host.succeed(['exec', 'worker-clone1', ...sh("awk '{ ids += $3 } END { print ids }' /proc/self/uid_map")])).toBe('10');
    await host.succeed(['pod', 'rm', '--force', '--time=0', '--all']);
    expect(await host.succeed(['ps', '--all', '--format', '{{.Names}}'])).toBe('other');
  });

  test('pod clone refuses what it cannot give, and makes nothing', async () => {
    await pod('first');
    await host.succeed(['pod', 'create', '--name', 'bare', '--infra=false']);
    for (const [flags, stderr] of [
      [['-v', '/no/such:/x', 'first'], 'Error: statfs /no/such: no such file or directory\n'],
      [
        ['--volumes-from', 'nosuch', 'first'],
        'Error: looking up container "nosuch" for volumes-from: no container with name or ID "nosuch" found: no such container\n',
      ],
      [['--gpus', 'all', '--start', 'first', 'gpu'], /^Error: .*nvidia\.com\/gpu=all/],
      [['--uidmap', 'bad', 'first'], /^Error: .*bad/],
      [['--userns', 'keep-id', '--uidmap', '0:0:1', 'first'], /^Error: /],
      [['--subuidname', 'nosuch', 'first'], /^Error: .*nosuch/],
      [
        ['-v', 'some:/x', 'bare'],
        'Error: cannot give volumes or a user namespace to a clone of pod bare, which has no infra container: invalid argument\n',
      ],
    ] as const) {
      const said = await host.lichen(['pod', 'clone', ...flags]);
      expect({ flags, exitCode: said.exitCode }).toEqual({ flags, exitCode: 125 });
      expect(said.stderr).toEqual(typeof stderr === 'string' ? stderr : expect.stringMatching(stderr));
    }
    expect(await host.succeed(['pod', 'ps', '--sort', 'name', '--format', '{{.Name}}'])).toBe('bare\nfirst\ngpu');
  });

  test('container clone --pod: the namespaces of the pod take the place of those the original had', async () => {
    await host.succeed(['pod', 'create', '--name', 'with', '--network', 'none', '--restart', 'on-failure', '-v', 'shared:/shared']);
    await host.succeed(['pod', 'create', '--name', 'without', '--infra=false']);
    const infra = await host.succeed(['pod', 'inspect', '-f', '{{.InfraContainerID}}', 'with']);
    const alone = ['--network', 'slirp4netns', '-p', '8765:80', '--hostname', 'hey', '--pid', 'host', '-v', '/tmp:/mine'];
    await host.succeed(['create', '--name', 'alone', ...alone, BUSYBOX, 'sleep', '1000']);
    const places = '{{range .Mounts}}{{.Destination}} {{end}}';
    const modes = ['NetworkMode', 'IpcMode', 'UTSMode', 'PidMode', 'RestartPolicy.Name'].map((name) => `{{.HostConfig.${name}}}`).join(' ');
    const shown = (name: string) => host.succeed(['inspect', '-f', `${modes} ${places}{{.Config.Hostname}} {{.Dependencies}}`, name]);
    const reset = 'level=warning msg="At least one namespace was reset to the default configuration"';
    const made = await host.lichen(['container', 'clone', '--pod', 'with', '--run', 'alone', 'inside']);
    expect(made).toMatchObject({ exitCode: 0, stderr: expect.stringContaining(reset) });
    const shares = `container:${infra}`;
    expect(await shown('inside')).toBe(`${shares} ${shares} ${shares} host on-failure /shared /mine with [${infra}]`);
    expect(await host.succeed(['exec', 'inside', ...sh('hostname; ls /sys/class/net')])).toBe('with\nlo');
    expect(await host.succeed(['pod', 'inspect', '-f', '{{.State}} {{.NumContainers}}', 'with'])).toBe('Running 2');

    // From one pod to another, and to one that shares nothing.
    const id = await host.succeed(['container', 'clone', '--pod', 'without', '--destroy', '--force', 'inside', 'moved']);
    expect(await shown('moved')).toBe(`pasta shareable private host on-failure /shared /mine ${id.slice(0, 12)} []`);
    expect(await host.succeed(['pod', 'inspect', '-f', '{{.NumContainers}}', 'with', 'without'])).toBe('1\n1');
    await host.succeed(['create', '--name', 'kept', '--userns', 'keep-id', BUSYBOX, 'true']);
    for (const [into, stderr] of Object.entries({
      nosuch: 'Error: no pod with name or ID nosuch found: no such pod\n',
      with: 'Error: cannot set user namespace mode when joining pod with infra container: invalid argument\n',
    }))
      expect(await host.lichen(['container', 'clone', '--pod', into, 'kept', 'never'])).toMatchObject({
        exitCode: 125,
        stdout: '',
        stderr,
      });
    await host.succeed(['rm', 'alone', 'kept']);
    await host.succeed(['pod', 'rm', '--force', '--time=0', '--all']);
    await host.succeed(['volume', 'rm', 'shared']);
  });
});
