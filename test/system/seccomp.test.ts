/** Filters of our own compiler in the kernel: calls are refused with the errno that the rules say. */
import { release } from 'node:os';
import { expect, test } from 'vitest';
import { DEFAULTS } from '../../libpod/spec/defaults.ts';
import { defaultSeccompProfile, seccompFilter } from '../../libpod/spec/seccomp.ts';
import type { Seccomp } from '../../runtime/seccomp/compile.ts';
import { testHost, type TestHost } from '../host/host.ts';

const [EPERM, EBADF, EINVAL, ENOSYS] = [1, 9, 22, 38];
const SIGSYS = 31;

/** x86_64, and aarch64 where its numbers differ. */
const NUMBERS =
  process.arch === 'arm64'
    ? { close: 57, perfEventOpen: 241, socket: 198, personality: 92, swapoff: 225, getpgid: 155 }
    : { close: 3, perfEventOpen: 298, socket: 41, personality: 135, swapoff: 168, getpgid: 121 };
const NO_CALL = 1000;
const [AF_NETLINK, SOCK_RAW, NETLINK_AUDIT] = [16, 3, 9];

interface Task {
  readonly seccomp: Seccomp;
  readonly calls: readonly (readonly number[])[];
  readonly last?: readonly number[];
}

async function underFilter(host: TestHost, task: Task) {
  await host.writeFile('/home/tester/task.json', JSON.stringify(task));
  const program = ['/opt/lichen/scripts/node.sh', '/opt/lichen/test/fixtures/load-filter.ts', '/home/tester/task.json'];
  return host.run(['setpriv', '--no-new-privs', 'sh', ...program]);
}

test('a filter holds in the kernel: that of the engine refuses with its errnos, conditions are looked at, and KILL_PROCESS ends the process', async () => {
  await using host = await testHost();
  const facts = { capabilities: DEFAULTS.capabilities, arch: process.arch, kernel: release() };
  const engines = seccompFilter(await defaultSeccompProfile(), 'built-in', facts);
  const { close, perfEventOpen, socket, personality, swapoff, getpgid } = NUMBERS;
  const refused = await underFilter(host, {
    seccomp: engines,
    calls: [
      [close, -1],
      [perfEventOpen, 0],
      [socket, AF_NETLINK, SOCK_RAW, NETLINK_AUDIT],
      [personality, 0xffffffff],
      [personality, 7],
      [swapoff],
      [NO_CALL],
    ],
  });
  expect(refused).toMatchObject({ stderr: '', exitCode: 0 });
  expect(JSON.parse(refused.stdout)).toEqual([EBADF, EPERM, EINVAL, 0, ENOSYS, EPERM, ENOSYS]);

  const killed = await underFilter(host, {
    seccomp: {
      defaultAction: 'SCMP_ACT_ALLOW',
      flags: ['SECCOMP_FILTER_FLAG_TSYNC'],
      syscalls: [{ names: ['getpgid'], action: 'SCMP_ACT_KILL_PROCESS', args: [{ index: 0, value: 2 ** 32, op: 'SCMP_CMP_GE' }] }],
    },
    calls: [[getpgid, 0]],
    last: [getpgid, 2 ** 33],
  });
  expect(killed).toMatchObject({ stdout: '[0]', exitCode: 128 + SIGSYS });
});
