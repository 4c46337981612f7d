/**
 * A program of classic BPF, written from its end to its beginning: BPF jumps forwards only, so whoever writes a jump has written where it goes to.
 * A label counts the instructions from there to the end. See linux/filter.h and Documentation/networking/filter.rst of the kernel.
 */
import { wrong } from './document.ts';

export type Label = number;

export class Program {
  /** The last instruction first. */
  readonly #code: Instruction[] = [];
  readonly #returns = new Map<number, Label>();

  /** End the program with `value`. */
  give(value: number): Label {
    const known = this.#returns.get(value);
    if (known !== undefined) return known;
    const label = this.#push({ code: RET, yes: 0, no: 0, k: value });
    this.#returns.set(value, label);
    return label;
  }

  /** Compare the accumulator with `k`. */
  branch(comparison: keyof typeof COMPARISONS, k: number, yes: Label, no: Label): Label {
    if (yes === no) return yes;
    const [near, nearNo] = [this.#near(yes), this.#near(no)];
    const at = this.#code.length;
    return this.#push({ code: COMPARISONS[comparison], yes: at - near, no: at - nearNo, k });
  }

  /** Load 32 bits of the call (struct seccomp_data), then go on. */
  load(offset: number, next: Label): Label {
    this.#continue(next);
    return this.#push({ code: LOAD, yes: 0, no: 0, k: offset });
  }

  /** Keep these bits of the accumulator, then go on. */
  and(mask: number, next: Label): Label {
    this.#continue(next);
    return this.#push({ code: AND, yes: 0, no: 0, k: mask });
  }

  /** The program as the kernel takes it: struct sock_filter, little-endian as all our machines are. Throws INVALID_ARGUMENT when it is too long. */
  encode(): Uint8Array {
    if (this.#code.length > BPF_MAXINSNS) throw wrong(`the rules make ${this.#code.length} instructions, and a filter has ${BPF_MAXINSNS}`);
    const bytes = new DataView(new ArrayBuffer(this.#code.length * INSTRUCTION_BYTES));
    for (const [index, { code, yes, no, k }] of this.#code.toReversed().entries()) {
      const at = index * INSTRUCTION_BYTES;
      bytes.setUint16(at, code, true);
      bytes.setUint8(at + 2, yes);
      bytes.setUint8(at + 3, no);
      bytes.setUint32(at + 4, k, true);
    }
    return new Uint8Array(bytes.buffer);
  }

  #push(instruction: Instruction): Label {
    return this.#code.push(instruction);
  }

  /** `label`, or a place nearer by that leads there: a comparison jumps over 255 instructions at most. */
  #near(label: Label): Label {
    if (this.#code.length - label <= FURTHEST) return label;
    const there = this.#code[label - 1]!;
    if (there.code === RET) {
      this.#returns.set(there.k, this.#push(there));
      return this.#code.length;
    }
    return this.#push({ code: JUMP, yes: 0, no: 0, k: this.#code.length - label });
  }

  /** What is written next goes on at `label`, wherever that is. */
  #continue(label: Label): void {
    if (label !== this.#code.length) this.#push({ code: JUMP, yes: 0, no: 0, k: this.#code.length - label });
  }
}

interface Instruction {
  readonly code: number;
  readonly yes: number;
  readonly no: number;
  readonly k: number;
}

const INSTRUCTION_BYTES = 8;
const BPF_MAXINSNS = 4096;
/** One less than the furthest, for the second of two such places moves the first away. */
const FURTHEST = 254;

const LOAD = 0x20;
const AND = 0x54;
const JUMP = 0x05;
const RET = 0x06;
const COMPARISONS = { EQ: 0x15, GT: 0x25, GE: 0x35 } as const;
