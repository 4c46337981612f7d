/** `ps`, `port`, `top`, `inspect` and `events`: containers as they are shown. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestHost } from '../host/host.ts';
import { freePort } from '../host/host.ts';
import { BUSYBOX, canRunContainers, loadedHost, sh } from '../host/loaded.ts';

let host: TestHost;
let port: number;
let running: string;
const OFFLINE = ['--network', 'none'] as const;

function ps(...words: readonly string[]): Promise<string> {
  return host.succeed(['ps', ...words]);
}

async function names(...filters: readonly string[]): Promise<string[]> {
  const shown = await ps('-a', '--format', '{{.Names}}', ...filters.flatMap((filter) => ['--filter', filter]));
  return shown === '' ? [] : shown.split('\n');
}

describe.skipIf(!canRunContainers)('containers shown', () => {
  beforeAll(async () => {
    host = await loadedHost();
    port = await freePort();
    await host.succeed(['create', '--name', 'made', ...OFFLINE, '--label', 'team=a', '-v', 'data:/data', BUSYBOX, 'true']);
    const options = `--label team=b -p 127.0.0.1:${port}:80 --init --tmpfs /scratch -u worker`.split(' ');
    running = await host.succeed(['run', '-d', '--name', 'running', ...options, BUSYBOX, ...sh('sleep 1000 & exec sleep 2000')]);
    await host.lichen(['run', '--name', 'ended', ...OFFLINE, BUSYBOX, ...sh('echo words > /written; exit 3')]);
  });
  afterAll(async () => {
    await host.succeed(['rm', '-a', '-f', '-v', '-t', '0']);
    await host.succeed(['volume', 'rm', 'data']);
    await host[Symbol.asyncDispose]();
  });

  test('ps shows running ones, -a all of them, the oldest first', async () => {
    expect(await ps('-q')).toBe(running.slice(0, 12));
    expect(await ps('-q', '--no-trunc')).toBe(running);
    expect(await names()).toEqual(['made', 'running', 'ended']);
    const [heading, ...rows] = (await ps('-a')).split('\n');
    expect(heading).toMatch(/^CONTAINER ID {2}IMAGE {21}COMMAND {15,}CREATED {2,}STATUS {2,}PORTS {2,}NAMES$/);
    expect(rows[0]).toMatch(/^[0-9a-f]{12} {2}localhost\/busybox:latest {2}true {2,}.* ago {2,}Created {2,}made$/);
    expect(rows[1]).toMatch(new RegExp(`sh -c sleep 1000 \\.\\.\\. {2}.* ago {2,}Up .* {2,}127\\.0\\.0\\.1:${port}->80/tcp {2}running$`));
    expect(rows[2]).toMatch(/Exited \(3\) .* ago {2,}ended$/);
  });

  test('filters choose', async () => {
    expect(await names('status=exited')).toEqual(['ended']);
    expect(await ps('--filter', 'status=exited', '--format', '{{.Names}}')).toBe('ended');
    expect(await names('status=created', 'status=running')).toEqual(['made', 'running']);
    expect(await names('label=team')).toEqual(['made', 'running']);
    expect(await names('label=team=b')).toEqual(['running']);
    expect(await names('label!=team=b')).toEqual(['made', 'ended']);
    expect(await names('name=^m')).toEqual(['made']);
    expect(await names(`id=${running.slice(0, 9)}`)).toEqual(['running']);
    expect(await names('before=running')).toEqual(['made']);
    expect(await names('since=running')).toEqual(['ended']);
    expect(await names('exited=3')).toEqual(['ended']);
    expect(await names('volume=data')).toEqual(['made']);
    expect(await names('ancestor=busybox')).toHaveLength(3);
    expect(await names('until=1h')).toEqual([]);
    expect(await host.lichen(['ps', '--filter', 'foo=bar'])).toMatchObject({ exitCode: 125, stderr: 'Error: foo is an invalid filter\n' });
  });

  test('--last, --latest and --sort choose and order', async () => {
    expect(await ps('-n', '2', '--format', '{{.Names}}')).toBe('running\nended');
    expect(await ps('-l', '--format', '{{.Names}}')).toBe('ended');
    expect(await ps('-a', '--sort', 'names', '--format', '{{.Names}}')).toBe('ended\nmade\nrunning');
    expect(await host.lichen(['ps', '-l', '-n', '1'])).toMatchObject({
      exitCode: 125,
      stderr: 'Error: last and latest are mutually exclusive\n',
    });
  });

  test('--size counts what a container has written, and its image', async () => {
    const rows = JSON.parse(await ps('-a', '-s', '--format', 'json')) as {
      Names: string[];
      Size: { rwSize: number; rootFsSize: number };
    }[];
    const sizes = Object.fromEntries(rows.map(({ Names, Size }) => [Names[0], Size]));
    expect(sizes['made']!.rwSize).toBe(0);
    // The link /etc/mtab is made at the first start, as by Podman.
    const written = 'words\n'.length + '/proc/mounts'.length;
    expect(sizes['ended']!.rwSize).toBe(written);
    expect(sizes['ended']!.rootFsSize - sizes['made']!.rootFsSize).toBe(written);
    expect(sizes['made']!.rootFsSize).toBeGreaterThan(1_000_000);
  });

  test('--ns shows the namespaces of running ones', async () => {
    const [, made, shown] = (await ps('-a', '--ns')).split('\n');
    expect(made).toMatch(/ made {2,}0 +$/);
    expect(shown).toMatch(/ running {2,}\d+ {2,}(\d{10} {2}){6}\d{10}$/);
  });

  test('as JSON a running one is what Podman prints', async () => {
    const [row] = JSON.parse(await ps('--format', 'json')) as Record<string, unknown>[];
    expect(row).toMatchObject({
      Command: ['sh', '-c', 'sleep 1000 & exec sleep 2000'],
      Exited: false,
      Id: running,
      Labels: { team: 'b' },
      Mounts: ['/scratch'],
      Names: ['running'],
      Ports: [{ host_ip: '127.0.0.1', container_port: 80, host_port: port, range: 1, protocol: 'tcp' }],
      State: 'running',
    });
  });

  test('port shows what is published', async () => {
    expect(await host.succeed(['port', 'running'])).toBe(`80/tcp -> 127.0.0.1:${port}`);
    expect(await host.succeed(['port', 'running', '80'])).toBe(`127.0.0.1:${port}`);
    expect(await host.succeed(['port', '-a'])).toBe(`${running.slice(0, 12)}\t80/tcp -> 127.0.0.1:${port}`);
    expect(await host.lichen(['port', 'running', '81/udp'])).toMatchObject({
      exitCode: 125,
      stderr: 'Error: failed to find published port "81/udp"\n',
    });
    expect(await host.succeed(['port', 'ended'])).toBe('');
  });

  test('top shows the processes as the container sees them, and whose they are outside', async () => {
    const [heading, ...rows] = (await host.succeed(['top', 'running', 'pid', 'ppid', 'user', 'comm', 'huser'])).split('\n');
    expect(heading!.split(/ +/)).toEqual(['PID', 'PPID', 'USER', 'COMMAND', 'HUSER']);
    const cells = rows.map((row) => row.trim().split(/ +/));
    expect(cells.map(([pid]) => pid)).toEqual(['1', '2', '3']);
    expect(cells.slice(1).map(([, , user, comm]) => [user, comm])).toEqual([
      ['worker', 'sleep'],
      ['worker', 'sleep'],
    ]);
    // Uid 1000 of the container is one of the user's subordinate ids.
    expect(Number(cells[1]![4])).toBeGreaterThan(65_536);
    expect((await host.succeed(['top', 'running'])).split('\n')[0]).toBe(
      'USER        PID         PPID        %CPU        ELAPSED     TTY         TIME        COMMAND',
    );
    expect(await host.lichen(['top', 'ended'])).toMatchObject({
      exitCode: 125,
      stderr: 'Error: top can only be used on running containers\n',
    });
  });

  test('inspect prints what it finds of any kind, then says what it does not', async () => {
    const found = await host.lichen(['inspect', 'ended', 'data', 'localhost/busybox', 'nosuch', 'neither']);
    expect(found).toMatchObject({ exitCode: 125, stderr: 'no such object: "neither"\nError: no such object: "nosuch"\n' });
    const [container, volume, image] = JSON.parse(found.stdout) as Record<string, unknown>[];
    expect(container).toMatchObject({ Name: 'ended', State: { Status: 'exited', ExitCode: 3, Pid: 0 } });
    expect(volume).toMatchObject({ Name: 'data', Driver: 'local' });
    expect(image).toMatchObject({ RepoTags: ['localhost/busybox:latest'] });
    expect(await host.lichen(['inspect', 'nosuch'])).toMatchObject({
      exitCode: 125,
      stdout: '[]\n',
      stderr: 'Error: no such object: "nosuch"\n',
    });
    expect(await host.lichen(['container', 'inspect', 'localhost/busybox'])).toMatchObject({
      exitCode: 125,
      stdout: '[]\n',
      stderr: 'Error: no such container "localhost/busybox"\n',
    });
    expect(await host.lichen(['inspect', ''])).toMatchObject({ exitCode: 125, stdout: '', stderr: 'Error: name or ID cannot be empty\n' });
    expect(await host.succeed(['inspect', '--type', 'volume', '-f', '{{.Name}}', 'data'])).toBe('data');
  });

  test('inspect of a running one knows its process, files and addresses', async () => {
    const [document] = JSON.parse(await host.succeed(['inspect', '--size', 'running'])) as Record<string, never>[];
    const { State, HostsPath, GraphDriver, Config, HostConfig, SizeRootFs } = document as unknown as Record<
      string,
      Record<string, unknown>
    >;
    expect(State).toMatchObject({ Status: 'running', Running: true });
    expect(await host.run(['test', '-e', `/proc/${String(State!['Pid'])}`])).toMatchObject({ exitCode: 0 });
    expect(await host.readFile(HostsPath as unknown as string)).toContain(running.slice(0, 12));
    expect(GraphDriver).toMatchObject({ Name: 'overlay', Data: { UpperDir: expect.stringContaining(running) } });
    expect(Config).toMatchObject({ User: 'worker', Hostname: running.slice(0, 12), Env: expect.arrayContaining(['HOME=/home/worker']) });
    expect(HostConfig).toMatchObject({ NetworkMode: 'pasta', Tmpfs: { '/scratch': expect.any(String) } });
    expect(SizeRootFs).toBeGreaterThan(1_000_000);
  });

  test('events tell what has happened, and what happens', async () => {
    const past = async (...words: string[]) =>
      (await host.succeed(['events', '--stream=false', '--filter', 'container=ended', '--format', '{{.Status}}', ...words])).split('\n');
    expect(await past()).toEqual(['create', 'init', 'start', 'attach', 'died', 'cleanup']);
    expect(await past('--filter', 'event=create', '--filter', 'event=died')).toEqual(['create', 'died']);
    expect(await past('--until', '2000-01-01')).toEqual(['']);
    const lines = await host.succeed(['events', '--stream=false', '--filter', 'event=died', '--format', 'json']);
    expect(JSON.parse(lines.split('\n')[0]!)).toMatchObject({ Name: 'ended', Status: 'died', ContainerExitCode: 3, Type: 'container' });
    await using following = host.spawnLichen(['events', '--filter', 'container=made']);
    await expect
      .poll(async () => {
        await host.lichen(['rename', 'made', 'made2']);
        await host.lichen(['rename', 'made2', 'made']);
        return following.stdout;
      })
      .toMatch(/^\S+ \S+ \+0000 UTC container rename [0-9a-f]{64} \(image=localhost\/busybox:latest, name=made, team=a\)$/m);
    expect(following.stdout).not.toMatch(/container create/);
  });
});
