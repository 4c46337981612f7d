/** Programs of other architectures that this kernel hands to an emulator: binfmt_misc. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { namesIn } from './if-there.ts';

/** e_machine of ELF(5), by the names that images use. */
const MACHINES: Readonly<Record<string, number>> = {
  '386': 3,
  amd64: 62,
  arm: 40,
  arm64: 183,
  loong64: 258,
  mips64le: 8,
  ppc64le: 21,
  riscv64: 243,
  s390x: 22,
};

const DATA_AT = 5;
const BIG_ENDIAN = 2;
const MACHINE_AT = 18;

/** What runs beside one's own without any emulator. */
const AT_HAND: Readonly<Record<string, readonly string[]>> = { amd64: ['386'], arm64: ['arm'] };

/** Whether programs of an architecture can be run here. `directory`: where binfmt_misc is mounted. */
export function runsArchitecture(architecture: string, own: string, directory = '/proc/sys/fs/binfmt_misc'): boolean {
  if (architecture === own || AT_HAND[own]?.includes(architecture) === true) return true;
  const machine = MACHINES[architecture];
  if (machine === undefined) return false;
  return namesIn(directory).some(
    (name) => !['register', 'status'].includes(name) && machineOf(readFileSync(join(directory, name), 'utf8')) === machine,
  );
}

/** Of an entry that is enabled and goes by the header of ELF. */
function machineOf(entry: string): number | undefined {
  const magic = /^magic ([0-9a-f]+)$/m.exec(entry)?.[1];
  if (!entry.startsWith('enabled\n') || magic === undefined || !magic.startsWith('7f454c46') || !/^offset 0$/m.test(entry))
    return undefined;
  const bytes = Buffer.from(magic, 'hex');
  if (bytes.length < MACHINE_AT + 2) return undefined;
  return bytes[DATA_AT] === BIG_ENDIAN ? bytes.readUInt16BE(MACHINE_AT) : bytes.readUInt16LE(MACHINE_AT);
}
