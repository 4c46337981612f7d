/**
 * A process that makes system calls for us, one after another, and becomes another program in the end (program.ts). What we must not become
 * ourselves, it becomes: it joins and makes namespaces, changes its root and its credentials, and nothing of that touches Node.
 * Every call waits for its answer: 20 µs.
 */
import { closeSync, readSync, writeSync } from 'node:fs';
import { EngineError } from '../../core/errors.ts';
import { bind, check, syscallError } from '../libc.ts';
import { sealedProgram } from '../pipe.ts';
import { posixSpawn, reapNow } from '../posix-spawn.ts';
import { ANY, encodeMessage, Memory, OUT, stepAt, vector, type Argument, type Step } from './layout.ts';
import type { CallName } from './numbers.ts';
import { ANSWER, ANSWER_BYTES, deputyProgram, HEAP, HEAP_BYTES, MESSAGE_BYTES } from './program.ts';
import { receiveRights, sendRights, rightsMessage } from './rights.ts';

const AF_UNIX = 1;
const SOCK_SEQPACKET = 5;
const SOCK_CLOEXEC = 0o2000000;
const F_SETFD = 2;
const FD_CLOEXEC = 1;
const SIGCHLD = 17;
const CLONE_VFORK = 0x4000;
const CLONE_PARENT = 0x8000;
const MSG_CMSG_CLOEXEC = 0x4000_0000;
const RESULT_BYTES = 16;
/** Of what `tryAll` is given, in a message. */
const MOST_RESULTS = 100;

const socketpair = bind('int socketpair(int domain, int type, int protocol, _Out_ int *fds)');

export interface DeputyRequest {
  /** What it has, and its program will have, from 0 on: descriptors of ours. */
  readonly fds: readonly (number | 'null')[];
}

/** The program that a deputy becomes. */
export interface Program {
  readonly path: string;
  readonly args: readonly string[];
  /** KEY=VALUE */
  readonly env: readonly string[];
}

export interface CallsResult {
  /** Of the last call that was made. */
  readonly result: number;
  readonly failed: { readonly index: number; readonly call: CallName; readonly errno: number } | undefined;
}

export class Deputy implements Disposable {
  /** Of the process that makes the calls now. */
  pid: number;
  readonly #socket: number;
  /** The number of its end there, which is also the first descriptor that its program is not given. */
  readonly firstOwn: number;
  #isOurs = true;

  private constructor(pid: number, socket: number, firstOwn: number) {
    this.pid = pid;
    this.#socket = socket;
    this.firstOwn = firstOwn;
  }

  /** Throws NOT_SUPPORTED, SYSCALL. Killed when it is disposed, unless it was let go. */
  static start({ fds }: DeputyRequest): Deputy {
    const firstOwn = fds.length;
    const ends: [number, number] = [0, 0];
    const program = sealedProgram('lichen-runtime', deputyProgram(firstOwn));
    try {
      check(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 'socketpair', 'AF_UNIX SOCK_SEQPACKET');
      const pid = posixSpawn({
        program: `/proc/self/fd/${firstOwn + 1}`,
        args: [],
        env: [],
        fds: [...fds, ends[1], program],
        newSession: false,
      });
      const deputy = new Deputy(pid, ends[0], firstOwn);
      for (const own of [firstOwn, firstOwn + 1]) deputy.call('fcntl', [own, F_SETFD, FD_CLOEXEC]);
      return deputy;
    } finally {
      closeSync(program);
      if (ends[1] !== 0) closeSync(ends[1]);
    }
  }

  /** The result. Throws SYSCALL, which names `subject` (default: the first argument that is text). */
  call(name: CallName, args: readonly Argument[], subject?: string): number {
    const result = this.attempt(name, args);
    if (result >= 0) return result;
    throw syscallError(name, subject ?? args.find((each) => typeof each === 'string') ?? '', -result);
  }

  /** The result, or the negative errno. */
  attempt(name: CallName, args: readonly Argument[]): number {
    return this.query(name, args, 0).result;
  }

  /** With what the call has written to OUT. */
  query(name: CallName, args: readonly Argument[], outBytes: number): { readonly result: number; readonly out: Buffer } {
    this.#send(encodeMessage([{ call: name, args, least: ANY }], RESULT_BYTES + outBytes));
    const answer = this.#answer();
    return { result: resultIn(answer), out: answer.subarray(RESULT_BYTES) };
  }

  /** All of them in one message, up to the first that fails. */
  calls(steps: readonly Step[]): CallsResult {
    this.#send(encodeMessage(steps, RESULT_BYTES));
    const answer = this.#answer();
    const result = resultIn(answer);
    const index = stepAt(answer.readBigUInt64LE(8));
    const { call, least = 0 } = steps[index]!;
    return BigInt(result) < BigInt(least) ? { result, failed: { index, call, errno: -result } } : { result, failed: undefined };
  }

  /** The same; throws SYSCALL with the subject of the step that fails. The result of the last. */
  mustCall(steps: readonly Step[], subject: string | ((step: number) => string)): number {
    const { result, failed } = this.calls(steps);
    if (failed === undefined) return result;
    throw syscallError(failed.call, typeof subject === 'string' ? subject : subject(failed.index), failed.errno);
  }

  /** All of them, whatever comes of the others: each one's result, or its negative errno. */
  tryAll(steps: readonly Step[]): number[] {
    const results: number[] = [];
    for (let start = 0; start < steps.length; start += MOST_RESULTS) {
      const part = steps.slice(start, start + MOST_RESULTS);
      const stored = part.map((step, index): Step => ({ ...step, least: ANY, store: { address: OUT.address + 8 * index } }));
      this.#send(encodeMessage(stored, RESULT_BYTES + 8 * part.length));
      const answer = this.#answer();
      for (const index of part.keys()) results.push(Number(answer.readBigInt64LE(RESULT_BYTES + 8 * index)));
    }
    return results;
  }

  /** Become a child of ours that goes on in its place, in the pid namespace that is next. Throws SYSCALL. */
  fork(flags: number): void {
    const before = this.pid;
    this.#send(
      encodeMessage(
        [
          { call: 'clone', args: [flags | CLONE_PARENT | SIGCHLD, 0, 0, 0, 0], least: 1 },
          { call: 'write', args: [this.firstOwn, { address: ANSWER }, RESULT_BYTES] },
          { call: 'exit_group', args: [0] },
        ],
        RESULT_BYTES,
      ),
    );
    // Both answer, in either order; a failure is answered once. What `write` returns is in nobody's answer.
    const first = resultIn(this.#answer());
    if (first < 0) throw syscallError('clone', 'a process of its own', -first);
    const second = resultIn(this.#answer());
    this.pid = Math.max(first, second);
    reapNow(before);
  }

  /** Start a program as its child, with three of its descriptors; the pid that it has there. */
  spawn(program: Program, fds: readonly [stdin: number, stdout: number, stderr: number]): number {
    this.#send(encodeMessage([{ call: 'clone', args: [CLONE_VFORK | SIGCHLD, 0, 0, 0, 0], least: 1 }], RESULT_BYTES));
    const begun = resultIn(this.#answer());
    if (begun < 0) throw syscallError('clone', program.path, -begun);
    const loaded = this.#load(program);
    // The child; its parent waits until it has become the program or ended.
    this.#send(
      encodeMessage(
        [
          ...fds.map((fd, target): Step => ({ call: 'dup3', args: [fd, target, 0], least: ANY })),
          { call: 'execve', args: loaded, least: ANY },
          { call: 'exit_group', args: [127] },
        ],
        RESULT_BYTES,
      ),
    );
    return resultIn(this.#answer());
  }

  /** A descriptor of ours, in its table. */
  give(fd: number): number {
    this.#send(
      encodeMessage([{ call: 'recvmsg', args: [this.firstOwn, rightsMessage(OUT), MSG_CMSG_CLOEXEC], least: ANY }], RESULT_BYTES + 64),
    );
    sendRights(this.#socket, fd);
    const answer = this.#answer();
    if (resultIn(answer) < 0) throw syscallError('recvmsg', `descriptor ${fd}`, -resultIn(answer));
    return answer.readInt32LE(RESULT_BYTES + 16);
  }

  /** One of its descriptors, in ours; the caller closes it. */
  take(fd: number): number {
    this.#send(encodeMessage([{ call: 'sendmsg', args: [this.firstOwn, rightsMessage(undefined, fd), 0], least: ANY }], RESULT_BYTES));
    const taken = receiveRights(this.#socket);
    const result = resultIn(this.#answer());
    if (result < 0 || taken === undefined) throw syscallError('sendmsg', `descriptor ${fd}`, -result);
    return taken;
  }

  /** Pass one of its descriptors on over another that is a connected socket (unix(7), SCM_RIGHTS). `text` goes with it. */
  passOn(socket: number, fd: number, text: string): void {
    this.call('sendmsg', [socket, rightsMessage(undefined, fd, text), 0], 'console socket');
  }

  /**
   * Make the last calls and become the program; its descriptors are those it was started with. Undefined where it has become that already;
   * else throws SYSCALL with the first call that failed. Not to be used after.
   */
  become(program: Program, last: readonly Step[], subject: (step: number) => string): void {
    const steps: readonly Step[] = [...last, { call: 'execve', args: this.#load(program) }];
    this.#send(encodeMessage(steps, RESULT_BYTES));
    const answer = this.#read();
    if (answer === undefined) {
      this.letGo();
      return;
    }
    const index = stepAt(answer.readBigUInt64LE(8));
    throw syscallError(steps[index]?.call ?? 'execve', index < last.length ? subject(index) : program.path, -resultIn(answer));
  }

  /** The same without waiting, for calls that take their time. A program that cannot be executed is said on its stderr, with status 126. */
  becomeLater(program: Program, last: readonly Step[]): void {
    const complaint = `exec ${program.path} failed\n`;
    this.#send(
      encodeMessage(
        [
          ...last,
          { call: 'execve', args: this.#load(program), least: ANY },
          { call: 'write', args: [2, complaint, Buffer.byteLength(complaint)], least: ANY },
          { call: 'exit_group', args: [126] },
        ],
        RESULT_BYTES,
      ),
    );
    this.letGo();
  }

  /** It goes on without us. */
  letGo(): void {
    if (!this.#isOurs) return;
    this.#isOurs = false;
    closeSync(this.#socket);
  }

  [Symbol.dispose](): void {
    if (!this.#isOurs) return;
    this.letGo();
    try {
      process.kill(this.pid, 'SIGKILL');
      reapNow(this.pid);
    } catch {
      // It has ended by itself.
    }
  }

  /** Into its memory: path, argv, envp. */
  #load(program: Program): Argument[] {
    const memory = new Memory(HEAP);
    const places = [memory.place(program.path), memory.place(vector(program.args)), memory.place(vector(program.env))];
    const bytes = memory.bytes();
    if (bytes.length > HEAP_BYTES) throw new EngineError('INVALID_ARGUMENT', `exec ${program.path}: argument list too long`);
    for (let offset = 0; offset < bytes.length; offset += MESSAGE_BYTES / 2) {
      const part = bytes.subarray(offset, offset + MESSAGE_BYTES / 2);
      this.#send(encodeMessage([{ call: 'read', args: [this.firstOwn, HEAP + offset, part.length], least: ANY }], RESULT_BYTES));
      this.#send(part);
      if (resultIn(this.#answer()) !== part.length)
        throw new EngineError('SYSCALL', `exec ${program.path}: its arguments cannot be handed over`);
    }
    return places.map((address) => ({ address }));
  }

  #send(message: Buffer): void {
    if (message.length > MESSAGE_BYTES) throw new Error(`a message of ${message.length} bytes is too long for a deputy`);
    try {
      writeSync(this.#socket, message);
    } catch (cause) {
      throw gone(cause);
    }
  }

  #answer(): Buffer {
    const answer = this.#read();
    if (answer === undefined) throw gone(undefined);
    return answer;
  }

  #read(): Buffer | undefined {
    const buffer = Buffer.alloc(ANSWER_BYTES);
    try {
      const length = readSync(this.#socket, buffer);
      return length === 0 ? undefined : buffer.subarray(0, length);
    } catch (cause) {
      throw gone(cause);
    }
  }
}

function gone(cause: unknown): EngineError {
  return new EngineError('HELPER_FAILED', "the container's process was killed while it was set up", { cause });
}

function resultIn(answer: Buffer): number {
  return Number(answer.readBigInt64LE(0));
}
