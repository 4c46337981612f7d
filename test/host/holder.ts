/**
 * The namespaces of one test host: mount and pid, with a shell as pid 1 that waits for all its children (dash and bash reap orphans while they wait).
 * If the test process dies, the parent-death signal takes the whole host with it.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, copyFileSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { HostPlan } from './plan.ts';

const READY_TIMEOUT_MS = 20_000;
const CGROUP_EMPTY_TIMEOUT_MS = 5000;

export class Holder implements AsyncDisposable {
  /** Pid 1 of the host, as the machine counts. */
  readonly pid: number;
  readonly #base: string;
  readonly #cgroup: string | undefined;
  readonly #unshare: ChildProcess;

  /** Carry out the plan below `base`, which must exist and be empty. */
  static async start(base: string, plan: HostPlan): Promise<Holder> {
    writeTree(base, plan);
    const unshare = spawn(
      'setpriv',
      [
        '--pdeathsig',
        'KILL',
        'unshare',
        '--mount',
        '--pid',
        '--fork',
        '--kill-child',
        '--propagation',
        'private',
        '/bin/sh',
        `${base}/init`,
      ],
      { stdio: ['ignore', 'pipe', 'pipe'], detached: true },
    );
    try {
      await waitUntilReady(unshare);
    } catch (error) {
      unshare.kill('SIGKILL');
      await rm(base, { recursive: true, force: true });
      throw error;
    }
    return new Holder(base, plan.cgroup, unshare);
  }

  private constructor(base: string, cgroup: string | undefined, unshare: ChildProcess) {
    this.#base = base;
    this.#cgroup = cgroup;
    this.#unshare = unshare;
    this.pid = childrenOf(unshare.pid ?? 0)[0] ?? 0;
    unshare.unref();
  }

  /** A path of the host as this process can open it. Absolute symlinks on the way lead to the machine, not the host. */
  path(inside: string): string {
    return `/proc/${this.pid}/root${inside}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#cgroup !== undefined) await removeCgroup(this.path(`/sys/fs/cgroup/${this.#cgroup}`));
    const exited = this.#unshare.exitCode === null && this.#unshare.signalCode === null ? once(this.#unshare, 'exit') : undefined;
    this.#unshare.ref();
    process.kill(this.pid, 'SIGKILL');
    await exited;
    await rm(this.#base, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  }
}

/** Pids of the direct children of a process. Empty when it is gone. */
export function childrenOf(pid: number): readonly number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

function writeTree(base: string, plan: HostPlan): void {
  for (const { path, mode, uid } of plan.directories) {
    mkdirSync(join(base, path), { recursive: true });
    chmodSync(join(base, path), mode);
    chownSync(join(base, path), uid, uid);
  }
  for (const { path, content, mode } of plan.files) writeFileSync(join(base, path), content, { mode });
  for (const { from, to } of plan.copies) {
    mkdirSync(dirname(join(base, to)), { recursive: true });
    copyFileSync(from, join(base, to));
  }
  writeFileSync(join(base, 'fstab'), plan.fstab);
  writeFileSync(join(base, 'init'), initScript(base, plan));
}

function initScript(base: string, plan: HostPlan): string {
  const { uid } = plan.user;
  const cgroup = `/sys/fs/cgroup/${plan.cgroup}`;
  return `set -eu
umask 022
mount -a -T '${base}/fstab'
mkdir /dev/net
while read -r name major minor; do mknod -m 666 "/dev/$name" c "$major" "$minor"; done <<'NODES'
${plan.nodes.join('\n')}
NODES
ln -s pts/ptmx /dev/ptmx; ln -s /proc/self/fd /dev/fd
ln -s /proc/self/fd/0 /dev/stdin; ln -s /proc/self/fd/1 /dev/stdout; ln -s /proc/self/fd/2 /dev/stderr
rm -rf ${plan.hidden.map((path) => `'${path}'`).join(' ')}
${plan.cgroup === undefined ? '' : `mkdir -p ${cgroup}/session\nchown -R ${uid}:${uid} ${cgroup}`}
cd /
sleep infinity &
echo ready
wait
`;
}

async function waitUntilReady(unshare: ChildProcess): Promise<void> {
  let stderr = '';
  unshare.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const ready = once(unshare.stdout!, 'data', { signal: AbortSignal.timeout(READY_TIMEOUT_MS) });
  const exited = once(unshare, 'close').then(() => {
    throw new Error(`the test host could not be made: ${stderr.trim()}`);
  });
  await Promise.race([ready, exited]);
  exited.catch(() => {});
  unshare.stdout?.destroy();
  unshare.stderr?.destroy();
}

async function removeCgroup(path: string): Promise<void> {
  writeFileSync(join(path, 'cgroup.kill'), '1');
  const deadline = performance.now() + CGROUP_EMPTY_TIMEOUT_MS;
  while (readFileSync(join(path, 'cgroup.events'), 'utf8').includes('populated 1') && performance.now() < deadline) await delay(5);
  removeEmptyTree(path);
}

function removeEmptyTree(path: string): void {
  for (const entry of readdirSync(path, { withFileTypes: true })) if (entry.isDirectory()) removeEmptyTree(join(path, entry.name));
  rmdirSync(path);
}
