/** How system calls and the data they point to lie in a deputy's memory (program.ts). Pure. */
import { ANSWER, MESSAGE } from './program.ts';
import { callNumber, type CallName } from './numbers.ts';

/** An argument of a call: a number, nothing, or what it points to. A string gets its NUL. */
export type Argument = number | bigint | null | Data;
export type Data = string | Uint8Array | Linked | Place;

/** Bytes with pointers in them. */
export interface Linked {
  readonly bytes: Uint8Array;
  readonly links: readonly { readonly at: number; readonly to: Data }[];
}

/** An address that is known. */
export interface Place {
  readonly address: number;
}

/** The part of the answer that calls may write to. */
export const OUT: Place = { address: ANSWER + 16 };

export interface Step {
  readonly call: CallName;
  readonly args: readonly Argument[];
  /** Results below it are failures. Default 0. */
  readonly least?: bigint | number;
  /** Where the result goes besides. */
  readonly store?: Place;
}

const ENTRY_BYTES = 72;
const HEADER_BYTES = 8;

/** No result of a call is below this. */
export const ANY = -4096;

/** The argument of another step of the same message, to store a result in. */
export function argumentOf(step: number, argument: number): Place {
  return { address: MESSAGE + HEADER_BYTES + step * ENTRY_BYTES + 8 * (1 + argument) };
}

/** Which step an address in the answer means. */
export function stepAt(address: bigint): number {
  return (Number(address) - MESSAGE - HEADER_BYTES) / ENTRY_BYTES;
}

export function encodeMessage(steps: readonly Step[], answerBytes: number): Buffer {
  const entries = Buffer.alloc(HEADER_BYTES + ENTRY_BYTES * steps.length + 8);
  const memory = new Memory(MESSAGE + entries.length);
  entries.writeBigInt64LE(BigInt(answerBytes), 0);
  for (const [index, { call, args, least = 0, store }] of steps.entries()) {
    const entry = entries.subarray(HEADER_BYTES + index * ENTRY_BYTES);
    entry.writeBigInt64LE(BigInt(callNumber(call)), 0);
    for (const [position, argument] of args.entries()) {
      entry.writeBigUInt64LE(BigInt.asUintN(64, value(argument, memory)), 8 * (1 + position));
    }
    entry.writeBigInt64LE(BigInt(least), 56);
    entry.writeBigInt64LE(BigInt(store?.address ?? 0), 64);
  }
  entries.writeBigInt64LE(-1n, entries.length - 8);
  return Buffer.concat([entries, memory.bytes()]);
}

function value(argument: Argument, memory: Memory): bigint {
  if (argument === null) return 0n;
  if (typeof argument === 'number' || typeof argument === 'bigint') return BigInt(argument);
  return BigInt(memory.place(argument));
}

/** Data one after another from an address on. */
export class Memory {
  readonly #start: number;
  readonly #parts: Uint8Array[] = [];
  #size = 0;

  constructor(start: number) {
    this.#start = start;
  }

  /** Its address. */
  place(data: Data): number {
    if (typeof data === 'string') return this.#append(Buffer.from(`${data}\0`));
    if (data instanceof Uint8Array) return this.#append(data);
    if ('address' in data) return data.address;
    const bytes = Buffer.from(data.bytes);
    for (const { at, to } of data.links) bytes.writeBigUInt64LE(BigInt(this.place(to)), at);
    return this.#append(bytes);
  }

  bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }

  #append(bytes: Uint8Array): number {
    const address = this.#start + this.#size;
    const padding = (8 - (bytes.length % 8)) % 8;
    this.#parts.push(bytes, Buffer.alloc(padding));
    this.#size += bytes.length + padding;
    return address;
  }
}

/** A vector of strings with its end, as execve(2) takes them. */
export function vector(words: readonly string[]): Linked {
  return { bytes: Buffer.alloc(8 * (words.length + 1)), links: words.map((word, index) => ({ at: 8 * index, to: word })) };
}
