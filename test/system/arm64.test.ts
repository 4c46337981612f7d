/**
 * The programs that are kept as instructions, on the machine that they are not tested on otherwise: emulated, in a user namespace that has an
 * interpreter for them to itself (binfmt_misc, Linux 6.7).
 */
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { testHost, type TestHost } from '../host/host.ts';
import { canRunContainers, sh } from '../host/loaded.ts';

const QEMU = '/usr/bin/qemu-aarch64';
const magic = `\\x7fELF\\x02\\x01\\x01${'\\x00'.repeat(9)}\\x02\\x00\\xb7\\x00`;
const mask = `${'\\xff'.repeat(7)}\\x00${'\\xff'.repeat(8)}\\xfe\\xff\\xff\\xff`;
const FIXTURE = 'sh /opt/lichen/scripts/node.sh /opt/lichen/test/fixtures/arm64.ts';

describe.skipIf(process.arch !== 'x64' || !existsSync(QEMU) || !canRunContainers)('programs for arm64', () => {
  let host: TestHost;
  let isEmulated: boolean;
  beforeAll(async () => {
    host = await testHost();
    await host.run(sh(`mkdir programs; ${FIXTURE} write programs`));
    isEmulated = (await emulated('programs/init -- true')).exitCode === 0;
  });
  afterAll(() => host[Symbol.asyncDispose]());

  function emulated(script: string) {
    const register = `printf %s ':arm64:M::${magic}:${mask}:${QEMU}:F' >/proc/sys/fs/binfmt_misc/register`;
    return host.run([
      'unshare',
      '-Urmpf',
      '--mount-proc',
      ...sh(`mount -t binfmt_misc none /proc/sys/fs/binfmt_misc; ${register}; ${script}`),
    ]);
  }

  test('init: exit statuses are those of the command, and one line says why it was not run', async ({ skip }) => {
    if (!isEmulated) skip('the kernel gives namespaces no interpreters of their own');
    const statuses = ['sh -c "exit 3"', '/nowhere', 'nowhere', '/etc/passwd', `sh -c 'kill -TERM $$'`];
    expect(await emulated(statuses.map((command) => `programs/init -- ${command}; echo $?`).join('\n'))).toMatchObject({
      stdout: '3\n127\n127\n126\n143\n',
      stderr: 'init: /nowhere: not found\ninit: nowhere: not found\ninit: /etc/passwd: cannot be executed\n',
    });
  });

  test('init passes signals on and reaps orphans; infra ends by them', async ({ skip }) => {
    if (!isEmulated) skip('the kernel gives namespaces no interpreters of their own');
    const handler = `trap 'echo got; exit 5' TERM; : >ready; while :; do sleep 0.1; done`;
    const signalled = `programs/init -- sh -c "${handler}" & until [ -e ready ]; do sleep 0.1; done; kill -TERM $!; wait $!; echo $?`;
    const orphans = `exec programs/init -- sh -c 'for i in 1 2 3; do sh -c "sleep 0.2 &"; done; sleep 1; ps -o stat | grep -c Z'`;
    expect(await emulated(signalled)).toMatchObject({ stdout: 'got\n5\n', stderr: '' });
    expect(await emulated(orphans)).toMatchObject({ stdout: '0\n', stderr: '' });
    expect(await emulated('programs/infra & sleep 0.5; kill -TERM $!; wait $!; echo $?')).toMatchObject({ stdout: '0\n', stderr: '' });
  });

  test('a deputy makes calls, answers, takes and gives descriptors, and becomes a program', async ({ skip }) => {
    if (!isEmulated) skip('the kernel gives namespaces no interpreters of their own');
    const { stdout, stderr } = await emulated(`${FIXTURE} deputy`);
    const [umask, greeting, told = ''] = stdout.split('\n');
    expect([umask, greeting, stderr]).toEqual(['0002', 'hello xxxxx', '']);
    expect(JSON.parse(told)).toEqual({
      isLeader: true,
      missing: -2,
      version: 'Linux',
      failed: { index: 1, call: 'openat', errno: 2 },
      all: -2,
      letters: 'Linux',
      code: 7,
    });
  });
});
