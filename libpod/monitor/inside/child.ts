/** Processes of which a monitor is, or becomes, the parent. */
import { closeSync } from 'node:fs';
import { signalPidFd, openChildPidFd } from '../../../host/pid.ts';
import { POLLIN, type Watched } from '../../../host/poll.ts';
import { reapEnded } from '../../../host/posix-spawn.ts';
import type { Source } from './loop.ts';

/** The end of a process that is not our child is seen, but not how it came. */
const UNKNOWN = 255;

export class Child implements Source {
  readonly pid: number;
  #pidFd: number | undefined;
  #code: number | undefined;

  constructor(pid: number) {
    this.pid = pid;
    this.#pidFd = openChildPidFd(pid);
  }

  /** Undefined while it lives; 128 + the signal that ended it. */
  get code(): number | undefined {
    return this.#code;
  }

  signal(number: number): void {
    if (this.#pidFd !== undefined) signalPidFd(this.#pidFd, number);
  }

  watched(): Watched | undefined {
    return this.#pidFd === undefined ? undefined : { fd: this.#pidFd, events: POLLIN };
  }

  act(): void {
    this.ended(reapEnded(this.pid)?.code ?? UNKNOWN);
  }

  ended(code: number): void {
    if (this.#pidFd === undefined) return;
    closeSync(this.#pidFd);
    this.#pidFd = undefined;
    this.#code = code;
  }
}

/** Whoever came to us from the container, and has ended. */
export function reapOrphans(container: Child): void {
  for (let one = reapEnded(-1); one !== undefined; one = reapEnded(-1)) if (one.pid === container.pid) container.ended(one.code);
}
