/** Pipes and memory files as plain descriptors, for programs started by posixSpawn. All are close-on-exec: a child has what it is given. */
import { closeSync, fstatSync, read, readSync, writeSync } from 'node:fs';
import { bind, check } from './libc.ts';

const O_CLOEXEC = 0o2000000;
const MFD_CLOEXEC = 1;
const MFD_ALLOW_SEALING = 2;
/** Since Linux 6.3, where programs in memory may have to be announced (sysctl vm.memfd_noexec). */
const MFD_EXEC = 0x10;
const F_ADD_SEALS = 1033;
const ALL_SEALS = 0xf;

const pipe2 = bind('int pipe2(_Out_ int *fds, int flags)');
const memfdCreate = bind('int memfd_create(const char *name, uint flags)');
const addSeals = bind('int fcntl(int fd, int command, int seals)');

export interface Pipe {
  readonly read: number;
  readonly write: number;
}

export function makePipe(): Pipe {
  const fds: [number, number] = [0, 0];
  check(pipe2(fds, O_CLOEXEC), 'pipe2', 'pipe');
  return { read: fds[0], write: fds[1] };
}

/** A file in memory: a child can write without end of a reader, and what it said is read when it has ended. */
export class MemoryFile implements Disposable {
  readonly fd: number;

  /** `sealable`: F_ADD_SEALS of fcntl(2) works on it. */
  constructor(content?: string | Uint8Array, { sealable = false }: { sealable?: boolean } = {}) {
    this.fd = check(memfdCreate('lichen', sealable ? MFD_CLOEXEC | MFD_ALLOW_SEALING : MFD_CLOEXEC), 'memfd_create', 'memory file');
    if (content === undefined) return;
    const bytes = typeof content === 'string' ? Buffer.from(content) : content;
    // At a position, so that the offset the child will share stays at the start.
    for (let offset = 0; offset < bytes.length;) offset += writeSync(this.fd, bytes, offset, bytes.length - offset, offset);
  }

  /** What is in it, cut after `limitBytes`. */
  text(limitBytes: number): string {
    return this.bytes(limitBytes).toString('utf8');
  }

  bytes(limitBytes: number): Buffer {
    const buffer = Buffer.alloc(Math.min(fstatSync(this.fd).size, limitBytes));
    return buffer.subarray(0, readSync(this.fd, buffer, 0, buffer.length, 0));
  }

  [Symbol.dispose](): void {
    closeSync(this.fd);
  }
}

/** The first line from the pipe, or what came before its end; undefined for an end without a word. Blocks a worker thread meanwhile. */
export async function readLine(fd: number): Promise<string | undefined> {
  const buffer = Buffer.alloc(4096);
  let text = '';
  while (!text.includes('\n')) {
    const length = await readSome(fd, buffer);
    if (length === 0) return text === '' ? undefined : text;
    text += buffer.toString('utf8', 0, length);
  }
  return text.slice(0, text.indexOf('\n'));
}

function readSome(fd: number, buffer: Buffer): Promise<number> {
  return new Promise((resolve, reject) =>
    read(fd, buffer, 0, buffer.length, null, (error, length) => (error ? reject(error) : resolve(length))),
  );
}

/** A program in memory that nobody can change, whoever gets hold of it; the caller closes it. Throws SYSCALL. */
export function sealedProgram(name: string, content: Uint8Array): number {
  let fd = memfdCreate(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
  if (fd === -1) fd = check(memfdCreate(name, MFD_CLOEXEC | MFD_ALLOW_SEALING), 'memfd_create', name);
  writeSync(fd, content, 0, content.length, 0);
  check(addSeals(fd, F_ADD_SEALS, ALL_SEALS), 'fcntl', name);
  return fd;
}
