import { closeSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CGROUP_ROOT, ownCgroup } from '../../../host/cgroup.ts';
import { readIfThere } from '../../../host/if-there.ts';
import { POLLIN, type Watched } from '../../../host/poll.ts';
import { watchFile } from '../../../host/watch-file.ts';
import { readReady } from '../../../host/ready-io.ts';
import type { Source } from './loop.ts';

const EVENT_BYTES = 4096;

/** Sees when the kernel kills a container's process for want of memory (cgroup v2, memory.events), and leaves the file `oom` in the bundle. */
export class MemoryEvents implements Source {
  readonly #file: string;
  readonly #mark: string;
  /** The cgroup may be one that has seen others. */
  readonly #before: number;
  #fd: number | undefined;

  constructor(pid: number, bundle: string) {
    this.#mark = join(bundle, 'oom');
    this.#file = join(CGROUP_ROOT, cgroupOf(pid), 'memory.events');
    this.#before = this.#kills();
    this.#fd = watchFile(this.#file);
  }

  watched(): Watched | undefined {
    return this.#fd === undefined ? undefined : { fd: this.#fd, events: POLLIN };
  }

  act(): void {
    if (this.#fd === undefined) return;
    readReady(this.#fd, Buffer.alloc(EVENT_BYTES));
    this.look();
  }

  look(): void {
    if (this.#fd === undefined || this.#kills() <= this.#before) return;
    writeFileSync(this.#mark, '');
    closeSync(this.#fd);
    this.#fd = undefined;
  }

  #kills(): number {
    return Number(/^oom_kill (\d+)$/m.exec(readIfThere(this.#file) ?? '')?.[1] ?? 0);
  }
}

function cgroupOf(pid: number): string {
  try {
    return ownCgroup(pid);
  } catch {
    // It has ended already.
    return '/';
  }
}
