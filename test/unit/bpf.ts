/** The kernel's interpreter of filters (net/core/filter.c), as far as filters of system calls go, with its checks of a program (kernel/seccomp.c). */

export interface Call {
  readonly number: number;
  readonly audit: number;
  readonly args: readonly bigint[];
}

/** What the program returns for a call, and how many instructions that took. Throws where the kernel would refuse the program. */
export function runFilter(program: Uint8Array, call: Call): { readonly verdict: number; readonly steps: number } {
  const code = new DataView(program.buffer, program.byteOffset, program.byteLength);
  const data = callData(call);
  const count = program.length / 8;
  if (count > 4096) throw new Error('too many instructions');
  let accumulator = 0;
  for (let at = 0, steps = 1; at < count; at++, steps++) {
    const [operation, yes, no, k] = [
      code.getUint16(at * 8, true),
      code.getUint8(at * 8 + 2),
      code.getUint8(at * 8 + 3),
      code.getUint32(at * 8 + 4, true),
    ];
    const choose = (holds: boolean): void => {
      at += holds ? yes : no;
    };
    switch (operation) {
      case 0x20:
        if (k % 4 !== 0 || k > 60) throw new Error(`load from ${k}`);
        accumulator = data.getUint32(k, true);
        break;
      case 0x54:
        accumulator = (accumulator & k) >>> 0;
        break;
      case 0x05:
        at += k;
        break;
      case 0x15:
        choose(accumulator === k);
        break;
      case 0x25:
        choose(accumulator > k);
        break;
      case 0x35:
        choose(accumulator >= k);
        break;
      case 0x06:
        return { verdict: k, steps };
      default:
        throw new Error(`unknown instruction ${operation}`);
    }
  }
  throw new Error('the program runs past its end');
}

/** struct seccomp_data. */
function callData({ number, audit, args }: Call): DataView {
  const data = new DataView(new ArrayBuffer(64));
  data.setUint32(0, number, true);
  data.setUint32(4, audit, true);
  for (const [index, value] of args.entries()) data.setBigUint64(16 + index * 8, value, true);
  return data;
}
