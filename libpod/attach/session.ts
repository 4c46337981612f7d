/**
 * A client of a monitor's attach socket: bytes between the caller's streams and the container's.
 * Packets from the monitor: one byte (2 stdout, 3 stderr), then data; a terminal's output is all stdout. Packets to it: plain input.
 */
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { PacketSocket } from '../../host/seqpacket.ts';
import { DetachFilter } from './detach-filter.ts';

const STDERR = 3;
/** conmon sends at most 8192 bytes and the type. */
const PACKET_BYTES = 8193;
/** conmon reads input into a buffer of this size; what is longer than a packet would be cut. */
const INPUT_BYTES = 32_768;

export interface AttachStreams {
  /** Absent: input is not passed on. */
  readonly stdin?: AsyncIterable<Buffer>;
  /**
   * Resolves when the bytes are taken, so that a slow reader slows the container and not our memory; a rejection is that of the session's end.
   * Absent: dropped.
   */
  readonly stdout?: (chunk: Buffer) => Promise<void>;
  readonly stderr?: (chunk: Buffer) => Promise<void>;
}

export interface AttachOptions {
  readonly streams: AttachStreams;
  /** Looked for in stdin; empty: never. */
  readonly detachKeys: Uint8Array;
}

export type AttachEnd = 'ended' | 'detached';

export interface AttachSession extends Disposable {
  /** The output is at its end, or the detach keys were typed. */
  readonly end: Promise<AttachEnd>;
}

/** Connect and pass bytes on until the end. Throws SYSCALL when the socket is not there. */
export function openAttach(socketPath: string, options: AttachOptions): AttachSession {
  const socket = PacketSocket.connect(socketPath);
  const detached = Promise.withResolvers<AttachEnd>();
  const output = copyOutput(socket, options.streams).then((): AttachEnd => 'ended');
  if (options.streams.stdin) {
    copyInput(socket, options.streams.stdin, options.detachKeys).then(
      (end) => {
        if (end === 'detached') detached.resolve(end);
      },
      // The container closed its input, or ended: the output tells.
      () => undefined,
    );
  }
  const end = Promise.race([output, detached.promise]);
  // Whoever opened the session may still be starting the container when a stream fails, or never come to wait for the end.
  end.catch(() => undefined);
  return { end, [Symbol.dispose]: () => socket[Symbol.dispose]() };
}

async function copyOutput(socket: PacketSocket, streams: AttachStreams): Promise<void> {
  // A packet is written out before the next is read: one buffer does.
  const buffer = Buffer.allocUnsafe(PACKET_BYTES);
  for (;;) {
    const packet = await socket.receive(buffer);
    if (packet.length === 0) return;
    const sink = packet[0] === STDERR ? streams.stderr : streams.stdout;
    if (sink) await sink(packet.subarray(1));
  }
}

async function copyInput(socket: PacketSocket, stdin: AsyncIterable<Buffer>, detachKeys: Uint8Array): Promise<AttachEnd> {
  const filter = new DetachFilter(detachKeys);
  for await (const chunk of stdin) {
    const { forward, detached } = filter.push(chunk);
    for (let offset = 0; offset < forward.length; offset += INPUT_BYTES) await socket.send(forward.subarray(offset, offset + INPUT_BYTES));
    if (detached) return 'detached';
  }
  socket.finish();
  return 'ended';
}

/** What conmon reads of its control FIFO at once (CTLBUFSZ - 1 in its ctrl.c). */
const CONTROL_BYTES = 199;

/**
 * Tell the monitor the size of the terminal (its control FIFO, message type 1). A monitor that is gone is fine.
 * Of several messages in one read conmon 2.1 acts on the first alone, once for each: spaces make every message a read of its own.
 */
export function resizeTerminal(controlFifo: string, size: { readonly rows: number; readonly columns: number }): void {
  let fd: number;
  try {
    fd = openSync(controlFifo, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch {
    return;
  }
  try {
    writeSync(fd, `${`1 ${size.rows} ${size.columns}`.padEnd(CONTROL_BYTES - 1)}\n`);
  } finally {
    closeSync(fd);
  }
}
