/** Pods with a user namespace of their own: who the members are, and whom files belong to. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { TestHost } from '../host/host.ts';
import { BUSYBOX, canRunContainers, loadedHost, sh } from '../host/loaded.ts';

const CONFIGURED = 'localhost/configured:v1';
const MAP = 'tr -s " " < /proc/self/uid_map | sed "s/^ //"';

let host: TestHost;

async function pod(...users: readonly string[]): Promise<void> {
  await host.succeed(['pod', 'create', '--name=p', '--network=none', ...users]);
}

function run(flags: readonly string[], script: string, image = BUSYBOX): Promise<string> {
  return host.succeed(['run', '--rm', '--entrypoint=', '--pod=p', ...flags, image, ...sh(script)]);
}

describe.skipIf(!canRunContainers).each([{}, { LICHEN_RUNTIME: 'embedded' }])('the user namespace of a pod (%o)', (env) => {
  beforeAll(async () => {
    host = await loadedHost(['busybox', 'configured'], { env });
    const { home } = host.user;
    await host.run(['chmod', '711', home, `${home}/.local`, `${home}/.local/share`]);
  });
  afterEach(async () => {
    await host.lichen(['pod', 'rm', '--all', '--force', '--time=0']);
    await host.lichen(['rm', '--all', '--force', '--time=0']);
    await host.lichen(['volume', 'rm', '--all', '--force']);
    await host.lichen(['secret', 'rm', '--all']);
  });
  afterAll(() => host[Symbol.asyncDispose]());

  const kinds = [
    ['--userns=auto:size=3000', '0 1 3000', '0:0'],
    ['--userns=keep-id', '0 1 2000\n2000 0 1\n2001 2001 63536', '2000:2000'],
    ['--userns=nomap', '0 1 65536', '0:0'],
    ['--userns=keep-id:uid=1234,gid=1235', '0 1 1234\n1234 0 1\n1235 1235 64302', '1234:1235'],
    ['--uidmap=0:100:2100', '0 100 2100', '0:0'],
  ] as const;
  // The maps are lichen's doing; of each kind, those with and those without the caller, one is enough for another runtime.
  test.each(kinds.slice(0, env.LICHEN_RUNTIME === undefined ? kinds.length : 2))(
    '%s: every file belongs to whom it would belong to without',
    async (users, map, self) => {
      await pod(users);
      await host.run(sh('printf hidden | tee /tmp/secret-text'));
      await host.succeed(['secret', 'create', 'hidden', '/tmp/secret-text']);
      expect(await run([], `${MAP}; echo $(id -u):$(id -g)`)).toBe(`${map}\n${self}`);
      const own = '/etc/hosts /etc/hostname /run/.containerenv /run/secrets / /tmp /dev/shm /tmpfs';
      const seen = await run(
        ['--secret=hidden,uid=7,mode=0400', '--tmpfs=/tmpfs', '--volume=fresh:/fresh', '--workdir=/srv/data', '--user=1000'],
        `for f in ${own}; do stat -c '%u:%g' $f; done | uniq; stat -c '%u:%g:%a' /run/secrets/hidden; pwd; touch made; stat -c '%u:%g' . made /fresh`,
        CONFIGURED,
      );
      expect(seen).toBe('0:0\n7:0:400\n/srv/data\n1000:1000\n1000:1000\n1000:1000');
      await host.succeed([
        'run',
        '--detach',
        '--pod=p',
        '--name=m',
        '--stop-timeout=0',
        '--volume=filled:/srv/data',
        '--entrypoint=',
        CONFIGURED,
        'sleep',
        '1000',
      ]);
      await host.run(sh('echo there > /tmp/there'));
      const inside = (script: string, ...flags: readonly string[]) => host.succeed(['exec', ...flags, 'm', ...sh(script)]);
      for (const verb of [[], ['restart', '--time=0', 'm'], ['pod', 'restart', 'p']]) {
        if (verb.length > 0) await host.succeed(verb);
        await host.succeed(['cp', '/tmp/there', 'm:/tmp/there']);
        expect(
          await inside('cat /tmp/there; id -u; touch /srv/data/mine; stat -c %u:%g /srv/data /srv/data/mine | uniq', '--user=worker'),
        ).toBe('there\n1000\n1000:1000');
      }
      expect(await host.succeed(['top', 'm', 'uid'])).toBe(`UID\n${self === '0:0' ? '1000' : self.split(':', 1)[0]}`);
    },
  );

  test('a member is told of as one that shares, and has the ids of the pod', async () => {
    await pod('--userns=keep-id');
    await host.succeed(['create', '--pod=p', '--name=m', BUSYBOX, 'true']);
    const infra = await host.succeed(['pod', 'inspect', '--format={{.InfraContainerID}}', 'p']);
    const shown = (name: string) =>
      host.succeed(['inspect', '--format={{.HostConfig.UsernsMode}} {{.Config.User}} {{json .HostConfig.IDMappings}}', name]);
    const ids = '2000:2000 {"UidMap":["0:1:2000","2000:0:1","2001:2001:63536"],"GidMap":["0:1:2000","2000:0:1","2001:2001:63536"]}';
    expect(await shown('m')).toBe(`container:${infra} ${ids}`);
    expect(await shown(infra)).toBe(`private ${ids}`);
    expect(await run(['--user=0'], 'id -u')).toBe('0');
    const { stderr } = await host.lichen(['run', '--rm', '--pod=p', '--uidmap=0:1:9', BUSYBOX, 'true']);
    expect(stderr).toBe('Error: cannot set user namespace mode when joining pod with infra container: invalid argument\n');
    // Of lichen's own namespace it can be a part, as under Podman.
    expect(await run(['--userns=host'], 'stat -c %u /; cat /proc/self/uid_map | wc -l')).toBe('0\n2');
  });

  test('a clone of a pod, and a container cloned into one, have the ids of their new pod', async () => {
    await pod('--userns=auto:size=2500');
    await host.succeed(['create', '--pod=p', '--name=m', BUSYBOX, ...sh(`${MAP}; stat -c %u:%g / /etc/hosts`)]);
    const says = async (name: string) => (await host.succeed(['start', '--attach', name])).split('\n');
    expect(await says('m')).toEqual(['0 1 2500', '0:0', '0:0']);
    await host.succeed(['pod', 'clone', '--name=q', '--userns=nomap', 'p']);
    expect(await says('m-clone')).toEqual(['0 1 65536', '0:0', '0:0']);
    await host.succeed(['pod', 'create', '--name=r', '--network=none', '--userns=keep-id']);
    await host.succeed(['container', 'clone', '--pod=r', 'm', 'moved']);
    expect(await says('moved')).toEqual(['0 1 2000', '2000 0 1', '2001 2001 63536', '0:0', '0:0']);
    await host.succeed(['pod', 'create', '--name=s', '--network=none']);
    await host.succeed(['container', 'clone', '--pod=s', 'm', 'free']);
    expect(await says('free')).toEqual(['0 2000 1', '1 100000 65536', '0:0', '0:0']);
  });

  test('without an infra container each has its own', async () => {
    await host.succeed(['pod', 'create', '--name=p', '--infra=false']);
    expect(await run(['--network=none', '--userns=keep-id'], 'id -u; stat -c %u / /etc/hosts')).toBe('2000\n0\n0');
  });

  test('--userns container:NAME shares the ids and holds whatever the other is called later', async () => {
    const namespaces = 'readlink /proc/self/ns/user; readlink /proc/self/ns/net';
    for (const users of ['auto:size=2000', 'host']) {
      await host.succeed(['run', '--detach', '--name=owner', `--userns=${users}`, '--network=none', BUSYBOX, 'sleep', '1000']);
      const shared = ['user', 'pid', 'ipc', 'uts'].map((kind) => `--${kind === 'user' ? 'userns' : kind}=container:owner`);
      await host.succeed([
        'create',
        '--name=guest',
        ...shared,
        '--network=container:owner',
        BUSYBOX,
        ...sh(`${namespaces}; stat -c %u:%g / /etc/hosts`),
      ]);
      await host.succeed(['rename', 'owner', 'called-so']);
      await host.succeed(['create', '--name=owner', BUSYBOX, 'true']);
      const owners = await host.succeed(['exec', 'called-so', ...sh(namespaces)]);
      expect(await host.succeed(['start', '--attach', 'guest'])).toBe(`${owners}\n0:0\n0:0`);
      const id = await host.succeed(['inspect', '--format={{.Id}}', 'called-so']);
      const modes = 'UsernsMode PidMode IpcMode UTSMode NetworkMode'.split(' ').map((mode) => `{{.HostConfig.${mode}}}`);
      expect(await host.succeed(['inspect', `--format=${modes.join(' ')}`, 'guest'])).toBe(modes.map(() => `container:${id}`).join(' '));
      for (const word of ['called-so', id, id.slice(0, 12)])
        expect(await host.succeed(['ps', '--all', `--filter=network=container:${word}`, '--format={{.Names}}'])).toBe('guest');
      expect(await host.succeed(['ps', '--all', '--quiet', '--filter=network=container:owner'])).toBe('');
      await host.succeed(['rm', '--force', '--time=0', 'guest', 'called-so', 'owner']);
    }
  });

  test('variables of the network are as asked, whoever is mapped', async () => {
    await host.succeed(['run', '--detach', '--name=owner', '--userns=auto', BUSYBOX, 'sleep', '1000']);
    const flags = ['--userns=container:owner', '--sysctl=net.ipv4.ip_forward=1'];
    expect(await host.succeed(['run', '--rm', ...flags, BUSYBOX, ...sh('cat /proc/sys/net/ipv4/ip_forward; id -u')])).toBe('1\n0');
  });
});
