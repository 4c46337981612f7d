/**
 * Entries of systemd's journal as bytes: its native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL) and its export format
 * (systemd.io/JOURNAL_EXPORT_FORMATS), which are alike: `NAME=value\n`, or for what may hold a newline or no text
 * `NAME\n`, the length as 64 bits little-endian, the bytes and `\n`. An empty line ends an exported entry.
 */

/** Values by field; what is logged need not be UTF-8. */
export type JournalEntry = ReadonlyMap<string, Buffer>;

const NEWLINE = 0x0a;
const EQUALS = 0x3d;
const LENGTH_BYTES = 8;

/** One message of the native protocol. */
export function encodeJournalMessage(fields: Readonly<Record<string, string | Buffer>>): Buffer {
  const parts = Object.entries(fields).flatMap(([name, value]) => {
    const bytes = Buffer.from(value as string);
    if (!bytes.includes(NEWLINE)) return [Buffer.from(`${name}=`), bytes, Buffer.of(NEWLINE)];
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeBigUInt64LE(BigInt(bytes.length));
    return [Buffer.from(`${name}\n`), length, bytes, Buffer.of(NEWLINE)];
  });
  return Buffer.concat(parts);
}

/** Takes an export in pieces, however it is cut, and gives the entries as they are complete. */
export class JournalParser {
  #rest: Buffer = Buffer.alloc(0);
  #entry = new Map<string, Buffer>();

  push(bytes: Buffer): JournalEntry[] {
    const input = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    const entries: JournalEntry[] = [];
    let at = 0;
    for (;;) {
      const end = input.indexOf(NEWLINE, at);
      if (end < 0) break;
      const equals = input.subarray(at, end).indexOf(EQUALS);
      if (end === at) {
        if (this.#entry.size > 0) entries.push(this.#entry);
        this.#entry = new Map();
        at = end + 1;
      } else if (equals >= 0) {
        this.#entry.set(input.toString('latin1', at, at + equals), input.subarray(at + equals + 1, end));
        at = end + 1;
      } else {
        const start = end + 1 + LENGTH_BYTES;
        if (input.length < start) break;
        const stop = start + Number(input.readBigUInt64LE(end + 1));
        if (input.length <= stop) break;
        this.#entry.set(input.toString('latin1', at, end), input.subarray(start, stop));
        at = stop + 1;
      }
    }
    this.#rest = input.subarray(at);
    return entries;
  }
}

export function textOf(entry: JournalEntry, field: string): string | undefined {
  return entry.get(field)?.toString();
}

/** When the journal received it, in nanoseconds since the epoch; its clock has microseconds. */
export function receivedAt(entry: JournalEntry): bigint {
  return BigInt(textOf(entry, '__REALTIME_TIMESTAMP') ?? '0') * 1000n;
}
