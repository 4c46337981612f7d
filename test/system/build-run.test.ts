/** What RUN of a build has of the flags: its resolver, devices, shared memory, capabilities, and the agent that `--mount=type=ssh` leads to. */
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestHost } from '../host/host.ts';
import { canRunContainers, loadedHost, sh } from '../host/loaded.ts';

const CAP_CHOWN = 1n << 0n;
const CAP_NET_ADMIN = 1n << 12n;

let host: TestHost;

describe.skipIf(!canRunContainers)('RUN of a build', () => {
  beforeAll(async () => {
    host = await loadedHost();
  });
  afterAll(() => host[Symbol.asyncDispose]());

  test('has the resolver, the devices, the shared memory, the capabilities and the security of the flags', async () => {
    const cwd = `${host.user.home}/flags`;
    const script = [
      'grep -E "^(Cap(Eff|Bnd)|NoNewPrivs|Seccomp):" /proc/self/status',
      'df -k /dev/shm | tail -n 1',
      'cat /etc/resolv.conf',
      'stat -c %F /dev/nothing || true',
    ];
    await host.writeFile(`${cwd}/Dockerfile`, `FROM localhost/busybox\nRUN ${script.join('; ')}\n`);
    const flags = ['--dns=10.9.9.9', '--dns-search=x.example', '--dns-option=ndots:3', '--shm-size=32m', '--device=/dev/null:/dev/nothing'];
    const security = ['--cap-add=NET_ADMIN', '--cap-drop=CHOWN', '--security-opt=no-new-privileges', '--security-opt=seccomp=unconfined'];
    const said = await host.succeed(['build', '--no-cache', ...flags, ...security, '.'], { cwd });
    for (const kind of ['Eff', 'Bnd']) {
      const held = BigInt(`0x${new RegExp(`^Cap${kind}:\t(\\w+)$`, 'm').exec(said)?.[1]}`);
      expect([held & CAP_CHOWN, held & CAP_NET_ADMIN], kind).toEqual([0n, CAP_NET_ADMIN]);
    }
    expect(said).toMatch(/^NoNewPrivs:\t1\nSeccomp:\t0$/m);
    expect(said).toMatch(/^shm +32768 .* \/dev\/shm$/m);
    expect(said).toMatch(/^search x\.example\nnameserver 10\.9\.9\.9\noptions ndots:3$/m);
    expect(said).toMatch(/^character special file$/m);
    const plain = await host.succeed(['build', '--no-cache', '--network=none', '.'], { cwd });
    expect(plain).toMatch(/^Seccomp:	2$/m);
    expect(plain).not.toContain('character special file');
  });

  test.skipIf(!existsSync('/usr/bin/ssh-agent'))('reaches the agent of --ssh where a mount asks for it, and only there', async () => {
    const cwd = `${host.user.home}/agent`;
    const made = await host.run(
      sh(`set -e
mkdir -p ${cwd}/root; cd ${cwd}
eval "$(ssh-agent -a ${cwd}/socket)" > /dev/null
echo "$SSH_AGENT_PID" > pid
ssh-keygen -q -t ed25519 -N '' -C 'the key of the test' -f key
ssh-add -q key
for file in /usr/bin/ssh-add $(ldd /usr/bin/ssh-add | grep -o '/[^ ]*'); do mkdir -p "root$(dirname "$file")"; cp -L "$file" "root$file"; done`),
    );
    expect(made).toMatchObject({ exitCode: 0 });
    try {
      const dockerfile = (mount: string) => `FROM scratch\nCOPY root /\nRUN ${mount} ["/usr/bin/ssh-add", "-L"]\n`;
      await host.writeFile(`${cwd}/Dockerfile`, dockerfile('--mount=type=ssh'));
      await host.writeFile(`${cwd}/Dockerfile.named`, dockerfile('--mount=type=ssh,id=other,required'));
      await host.writeFile(`${cwd}/Dockerfile.without`, dockerfile(''));
      const build = (...words: readonly string[]) => host.lichen(['build', '--no-cache', '--network=none', ...words, '.'], { cwd });
      const key = /ssh-ed25519 \S+ the key of the test/;
      expect((await build('--ssh', `default=${cwd}/socket`)).stdout).toMatch(key);
      expect((await build('--ssh', `other=${cwd}/socket`, '-f', 'Dockerfile.named')).stdout).toMatch(key);
      const missing = await build('-f', 'Dockerfile.named');
      expect(missing.exitCode).not.toBe(0);
      expect(missing.stderr).toContain('other');
      const without = await build('--ssh', `default=${cwd}/socket`, '-f', 'Dockerfile.without');
      expect(without.exitCode).not.toBe(0);
      expect(without.stdout + without.stderr).not.toMatch(key);
    } finally {
      await host.run(sh(`kill "$(cat ${cwd}/pid)"`));
    }
  });
});
