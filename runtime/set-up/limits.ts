/** Resource limits and the ways a process is scheduled, set by the deputy for itself and what it becomes (config.md#posix-process, #linux-process). */
import { readFileSync, writeFileSync } from 'node:fs';
import { EngineError } from '../../core/errors.ts';
import type { Deputy } from '../../host/deputy/deputy.ts';
import type { Config, Process, Scheduler } from '../config.ts';

const RLIMITS = 'CPU FSIZE DATA STACK CORE RSS NPROC NOFILE MEMLOCK AS LOCKS SIGPENDING MSGQUEUE NICE RTPRIO RTTIME'.split(' ');
const RLIMIT_NOFILE = RLIMITS.indexOf('NOFILE');
/** No number that JSON can hold exactly: what is above comes from there. */
const RLIM_INFINITY = 0xffff_ffff_ffff_ffffn;

/** Throws SYSCALL, INVALID_ARGUMENT. */
export function setLimits(deputy: Deputy, process: Process): void {
  restoreOpenFiles(deputy);
  for (const { type, soft, hard } of process.rlimits ?? []) {
    const index = type.startsWith('RLIMIT_') ? RLIMITS.indexOf(type.slice('RLIMIT_'.length)) : -1;
    if (index === -1) throw new EngineError('INVALID_ARGUMENT', `unknown rlimit ${JSON.stringify(type)}`);
    deputy.call('prlimit64', [0, index, rlimit(big(soft), big(hard)), null], `${type} ${soft}:${hard}`);
  }
}

/** Node has raised the soft limit to the hard one; what we were started with is what our parent has. */
function restoreOpenFiles(deputy: Deputy): void {
  const match = /^Max open files\s+(\S+)\s+(\S+)/m.exec(readIfThere(`/proc/${process.ppid}/limits`));
  const own = /^Max open files\s+\S+\s+(\S+)/m.exec(readIfThere('/proc/self/limits'));
  if (match === null || own === null) return;
  const [soft, hard] = [limitIn(match[1]!), limitIn(own[1]!)];
  deputy.attempt('prlimit64', [0, RLIMIT_NOFILE, rlimit(soft < hard ? soft : hard, hard), null]);
}

function rlimit(soft: bigint, hard: bigint): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeBigUInt64LE(soft, 0);
  bytes.writeBigUInt64LE(hard, 8);
  return bytes;
}

function big(value: number): bigint {
  return value < 0 || value >= 2 ** 63 ? RLIM_INFINITY : BigInt(value);
}

function limitIn(text: string): bigint {
  return text === 'unlimited' ? RLIM_INFINITY : BigInt(text);
}

/** To be called before the process is out of our reach. Throws SYSCALL. */
export function setOomScore(pid: number, value: number | undefined): void {
  if (value === undefined) return;
  try {
    writeFileSync(`/proc/${pid}/oom_score_adj`, String(value));
  } catch (cause) {
    throw new EngineError('SYSCALL', `write oom_score_adj ${value}: ${(cause as Error).message}`, { cause });
  }
}

const PERSONALITIES: Readonly<Record<string, number>> = { LINUX: 0, LINUX32: 8 };
const IO_CLASSES: Readonly<Record<string, number>> = { IOPRIO_CLASS_RT: 1, IOPRIO_CLASS_BE: 2, IOPRIO_CLASS_IDLE: 3 };
const IOPRIO_WHO_PROCESS = 1;
const IOPRIO_CLASS_SHIFT = 13;
const POLICIES: Readonly<Record<string, number>> = {
  SCHED_OTHER: 0,
  SCHED_FIFO: 1,
  SCHED_RR: 2,
  SCHED_BATCH: 3,
  SCHED_ISO: 4,
  SCHED_IDLE: 5,
  SCHED_DEADLINE: 6,
};
const SCHEDULER_FLAGS: Readonly<Record<string, number>> = {
  SCHED_FLAG_RESET_ON_FORK: 1,
  SCHED_FLAG_RECLAIM: 2,
  SCHED_FLAG_DL_OVERRUN: 4,
  SCHED_FLAG_KEEP_POLICY: 8,
  SCHED_FLAG_KEEP_PARAMS: 16,
  SCHED_FLAG_UTIL_CLAMP_MIN: 32,
  SCHED_FLAG_UTIL_CLAMP_MAX: 64,
};

/** Throws SYSCALL, INVALID_ARGUMENT. */
export function setScheduling(deputy: Deputy, process: Process, linux: Config['linux']): void {
  const { ioPriority, scheduler } = process;
  const domain = linux?.personality?.domain;
  if (domain !== undefined) deputy.call('personality', [known(PERSONALITIES, domain, 'personality')], domain);
  if (ioPriority !== undefined) {
    const value = (known(IO_CLASSES, ioPriority.class, 'ioPriority class') << IOPRIO_CLASS_SHIFT) | (ioPriority.priority ?? 0);
    deputy.call('ioprio_set', [IOPRIO_WHO_PROCESS, 0, value], ioPriority.class);
  }
  if (scheduler !== undefined) deputy.call('sched_setattr', [0, schedulerAttributes(scheduler), 0], scheduler.policy);
}

/** struct sched_attr */
function schedulerAttributes({ policy, flags = [], nice = 0, priority = 0, runtime = 0, deadline = 0, period = 0 }: Scheduler): Buffer {
  const bytes = Buffer.alloc(48);
  bytes.writeUInt32LE(bytes.length, 0);
  bytes.writeUInt32LE(known(POLICIES, policy, 'scheduler policy'), 4);
  bytes.writeBigUInt64LE(BigInt(flags.reduce((sum, flag) => sum | known(SCHEDULER_FLAGS, flag, 'scheduler flag'), 0)), 8);
  bytes.writeInt32LE(nice, 16);
  bytes.writeUInt32LE(priority, 20);
  for (const [index, value] of [runtime, deadline, period].entries()) bytes.writeBigUInt64LE(BigInt(value), 24 + 8 * index);
  return bytes;
}

function known(table: Readonly<Record<string, number>>, word: string, what: string): number {
  if (Object.hasOwn(table, word)) return table[word]!;
  throw new EngineError('INVALID_ARGUMENT', `unknown ${what} ${JSON.stringify(word)}`);
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
