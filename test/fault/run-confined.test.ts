/** Containers that try to get at the machine, or to use it up (reference/hostile.md, R01, R02, R07 to R12). */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestHost } from '../host/host.ts';
import { MONITOR } from '../host/makes.ts';
import { BUSYBOX, canRunContainers, loadedHost, removeNow, sh } from '../host/loaded.ts';

let host: TestHost;

function run(flags: readonly string[], script: string) {
  return host.lichen(['run', '--rm', '--network=none', ...flags, BUSYBOX, ...sh(script)]);
}

async function background(name: string, script: string, flags: readonly string[] = []): Promise<void> {
  await host.succeed(['run', '-d', '--network=none', '--name', name, ...flags, BUSYBOX, ...sh(script)]);
}

describe.skipIf(!canRunContainers)('hostile processes', () => {
  beforeAll(async () => {
    host = await loadedHost();
  });
  afterAll(() => host[Symbol.asyncDispose]());

  test('R01: a container that writes to the program of whoever enters it changes no runtime, although its owner could', async () => {
    await host.run(sh('mkdir -p own; cp "$(command -v crun)" own/crun; chmod 755 own/crun; sha256sum own/crun > own/sum'));
    const attack = `while :; do for exe in /proc/[0-9]*/exe; do
      case $(readlink $exe 2>/dev/null) in *crun* | *memfd*) echo met >> /met; echo overwritten >> $exe ;; esac; done; done 2>/dev/null`;
    const crun = ['--runtime', '/home/tester/own/crun'];
    await host.succeed([...crun, 'run', '-d', '--network=none', '--name=evil', BUSYBOX, ...sh(attack)]);
    // A program that is a script whose interpreter is whoever runs it (CVE-2019-5736).
    await host.succeed([...crun, 'exec', 'evil', ...sh(`printf '#!/proc/self/exe\\n' > /trap; chmod 755 /trap`)]);
    for (let round = 0; round < 4; round++) {
      expect(await host.succeed([...crun, 'exec', 'evil', 'echo', 'entered'])).toBe('entered');
      await host.lichen([...crun, 'exec', 'evil', '/trap']);
    }
    expect(await host.run(sh('sha256sum -c own/sum'))).toMatchObject({ stdout: 'own/crun: OK\n', exitCode: 0 });
    await removeNow(host, 'evil');
  });

  test('R02: descriptors that the caller has open, on a directory of the host too, do not reach the container', async () => {
    await background('open', 'while :; do sleep 1; done');
    const list = `'for fd in /proc/self/fd/*; do readlink $fd; done 2>/dev/null | grep -v -e /proc -e "^pipe:" -e ^/dev/null -e "^socket:"; ls /proc/self/fd | wc -l; ls /proc/self/fd/../fd/7/ 2>&1'`;
    const open = 'exec 5<. 7</ 8</etc 9</etc/passwd';
    for (const command of [
      `lichen run --rm --network=none ${BUSYBOX} sh -c ${list}`,
      `lichen run -i --rm --network=none ${BUSYBOX} sh -c ${list} </dev/null`,
      `lichen exec open sh -c ${list}`,
      `lichen exec -i open sh -c ${list} </dev/null`,
    ]) {
      const { stdout, exitCode } = await host.run(sh(`${open}; ${command}`));
      // Its own three, and the directory that it lists.
      expect({ command, stdout }).toEqual({ command, stdout: expect.stringMatching(/^4\nls: .*No such file or directory\n$/) });
      expect(exitCode).not.toBe(0);
    }
    const attached = await host.run(
      sh(`${open}; lichen start open; lichen exec -d open sh -c 'ls -l /proc/self/fd > /fds'; sleep 0.3; lichen exec open cat /fds`),
    );
    expect(attached.stdout).not.toMatch(/ (5|7|8|9) -> /);
    await removeNow(host, 'open');
  });

  test('R07: the cgroup tree is read-only, with --cgroupns host as well', async () => {
    for (const flags of [[], ['--cgroupns=host'], ['--cgroupns=host', '-v', '/sys:/machine:rbind']]) {
      const script =
        'for tree in /sys/fs/cgroup /machine/fs/cgroup; do mkdir $tree/made && echo made; echo 1 > $tree/cgroup.procs && echo moved; done 2>/dev/null; true';
      const { stdout } = await run(flags, script);
      expect({ flags, stdout: flags.length === 3 ? '' : stdout }).toEqual({ flags, stdout: '' });
    }
  });

  test('R08: no inheritable and no ambient capabilities, no groups of the caller, and none to gain with no-new-privileges', async () => {
    const look = `grep -E '^(CapInh|CapAmb|Groups|NoNewPrivs)' /proc/self/status | tr -s '\\t ' ' '`;
    const none = '0000000000000000';
    expect((await run([], look)).stdout).toBe(`Groups: \nCapInh: ${none}\nCapAmb: ${none}\nNoNewPrivs: 0\n`);
    expect((await run(['--user=1234'], look)).stdout).toBe(`Groups: 0 \nCapInh: ${none}\nCapAmb: ${none}\nNoNewPrivs: 0\n`);
    expect((await run(['--user=1234:7', '--group-add=9', '--security-opt=no-new-privileges'], look)).stdout).toMatch(
      new RegExp(`^Groups: [79 ]*9[79 ]*\\nCapInh: ${none}\\nCapAmb: ${none}\\nNoNewPrivs: 1\\n$`),
    );
    await background('entered', 'sleep 1000');
    expect(await host.succeed(['exec', '--user=1234', 'entered', ...sh(look)])).toBe(
      `Groups: 0 \nCapInh: ${none}\nCapAmb: ${none}\nNoNewPrivs: 0`,
    );
    await removeNow(host, 'entered');
  });

  test('R09: a seccomp profile that cannot be used is an error and never no profile; calls nobody knows are passed over', async () => {
    const profile = (name: string, text: string) => host.writeFile(`/home/tester/${name}.json`, text);
    await profile('garbage', '{');
    await profile('list', '[]');
    await profile('action', '{"defaultAction":"SCMP_ACT_FOO"}');
    await profile('huge', `{"defaultAction":"SCMP_ACT_ALLOW","comment":"${' '.repeat(20_000_000)}"`);
    for (const [name, why] of [
      ['none', 'opening seccomp profile failed: open /home/tester/none.json: no such file or directory'],
      ['garbage', 'loading seccomp profile (/home/tester/garbage.json) failed: decoding seccomp profile failed: '],
      ['huge', 'loading seccomp profile (/home/tester/huge.json) failed: decoding seccomp profile failed: '],
      ['list', 'loading seccomp profile (/home/tester/list.json) failed: '],
    ] as const) {
      const { stdout, stderr, exitCode } = await run([`--security-opt=seccomp=/home/tester/${name}.json`], 'echo ran');
      expect({ name, stdout, exitCode, stderr }).toEqual({
        name,
        stdout: '',
        exitCode: 125,
        stderr: expect.stringContaining(`Error: ${why}`),
      });
    }
    expect(await run(['--security-opt=seccomp=/home/tester/action.json'], 'echo ran')).toMatchObject({ stdout: '', exitCode: 126 });
    await profile(
      'unknown',
      '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["nosuchcall","mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO"}]}',
    );
    const { stderr } = await run(['--security-opt=seccomp=/home/tester/unknown.json'], 'mkdir /tmp/made');
    expect(stderr).toContain('Operation not permitted');
  });

  test('R10: what tells of the machine is masked or read-only, and a thousand more can be', async () => {
    const masked = [
      '/proc/kcore',
      '/proc/keys',
      '/proc/latency_stats',
      '/proc/timer_list',
      '/proc/timer_stats',
      '/proc/sched_debug',
      '/proc/interrupts',
    ];
    const script = `for path in ${masked.join(' ')}; do [ ! -s $path ] && [ -z "$(head -c 1 $path 2>/dev/null)" ] || echo open $path; done
      for path in /proc/acpi /proc/scsi /sys/firmware /sys/devices/virtual/powercap; do [ -z "$(ls -A $path 2>/dev/null)" ] || echo open $path; done
      for path in /proc/sys/kernel/hostname /proc/sysrq-trigger /proc/irq/default_smp_affinity /proc/bus/x /proc/fs/x; do (echo 1 > $path) 2>/dev/null && echo written $path; done
      ls -d /sys/devices/system/cpu/cpu*/thermal_throttle/* 2>/dev/null; true`;
    expect(await run([], script)).toMatchObject({ stdout: '', exitCode: 0 });
    const thousand = Array.from({ length: 1000 }, (_, index) => `/tmp/masked${index}`);
    expect(await run([`--security-opt=mask=${thousand.join(':')}`], 'echo ran')).toMatchObject({ stdout: 'ran\n', exitCode: 0 });
  });

  test('R11: looking at a container, copying and committing run no program of its', async () => {
    const names = ['ps', 'tar', 'cp', 'stat', 'sh', 'ls', 'getent', 'nsenter', 'busybox'];
    // The container's own programs are replaced while it runs: whoever starts one leaves a mark.
    const script = `mkdir /mark /keep; cp /bin/busybox /keep/busybox; printf '#!/keep/busybox sh\\necho $0 >> /mark/ran\\n' > /fake; chmod 755 /fake
      /keep/busybox rm -rf /bin /usr/bin; /keep/busybox mkdir -p /bin /usr/bin /etc; for name in ${names.join(' ')}; do /keep/busybox cp /fake /bin/$name; /keep/busybox cp /fake /usr/bin/$name; done
      /keep/busybox touch /ready; while :; do /keep/busybox sleep 1; done`;
    await background('fake', script);
    await host.succeed(['exec', 'fake', '/keep/busybox', 'sh', '-c', 'until [ -e /ready ]; do /keep/busybox sleep 0.05; done']);
    await host.writeFile('/home/tester/in', 'data');
    for (const command of [
      ['top', 'fake'],
      ['top', 'fake', 'user', 'pid', 'args', 'capeff', 'hgroup'],
      ['cp', 'fake:/etc', 'out'],
      ['cp', 'in', 'fake:/etc/in'],
      ['diff', 'fake'],
      ['commit', '-q', 'fake', 'localhost/committed'],
      ['export', '-o', 'out.tar', 'fake'],
      ['stats', '--no-stream', 'fake'],
      ['inspect', '--size', 'fake'],
      ['logs', 'fake'],
      ['port', 'fake'],
      ['pause', 'fake'],
      ['unpause', 'fake'],
    ])
      await host.lichen(command);
    expect(await host.succeed(['top', 'fake', 'args'])).toContain('/keep/busybox sleep 1');
    expect(await host.succeed(['exec', 'fake', '/keep/busybox', 'ls', '/mark'])).toBe('');
    await removeNow(host, 'fake');
    await host.succeed(['rmi', 'localhost/committed']);
  });

  test('R12: what a container fills is its own: a small /tmp, and processes that outlive it are ended with it', async () => {
    const { stdout } = await run(
      ['--tmpfs=/small:size=1m', '--shm-size=1m'],
      'for place in /small /dev/shm; do head -c 2097152 /dev/zero > $place/full || echo full; done 2>/dev/null',
    );
    expect(stdout).toBe('full\nfull\n');
    const daemons = 'for n in 1 2 3 4 5 6 7 8; do (setsid sh -c "setsid sleep 1000 & setsid sleep 1000 &" &); done; sleep 0.2; exit 3';
    expect(await run([], daemons)).toMatchObject({ exitCode: 3 });
    await expect.poll(() => host.processes().filter(({ command }) => command === 'sleep 1000')).toEqual([]);
    // Children that nobody waits for, and a stdin that is closed at once.
    expect(await run(['--init', '-i'], 'for n in $(seq 200); do (true &) ; done; cat; exit 4')).toMatchObject({ exitCode: 4 });
  });

  test('R12: a container that writes as fast as it can to somebody who does not read grows nobody, and can be stopped', async () => {
    const loud = host.spawn(
      sh(
        `lichen run --name loud --log-driver none --network=none ${BUSYBOX} yes | (read -r line; echo "$line"; until [ -e enough ]; do sleep 0.1; done)`,
      ),
    );
    await loud.waitForOutput(/y\n/);
    const peaks = (): readonly number[] =>
      host
        .processes()
        .flatMap(({ pid, command }) => (MONITOR.test(command) || command.includes('main.cjs run') ? [peakKib(host, pid)] : []));
    expect(peaks().length).toBeGreaterThan(0);
    // Responsive all the while.
    expect(await host.succeed(['ps', '--format', '{{.Names}}'])).toBe('loud');
    expect(await host.succeed(['exec', 'loud', 'echo', 'entered'])).toBe('entered');
    for (const peak of peaks()) expect(peak).toBeLessThan(150 * 1024);
    await host.succeed(['stop', '--time', '0', 'loud']);
    await removeNow(host, 'loud');
    await host.run(['touch', 'enough']);
    await loud.finish();
  });
});

/** VmHWM of a process of the host, by its pid there. */
function peakKib(from: TestHost, pid: number): number {
  const status = readFileSync(from.path(`/proc/${pid}/status`), 'latin1');
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? Number.NaN);
}
