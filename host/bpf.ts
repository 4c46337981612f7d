/** bpf(2), as far as control groups need it. For who has CAP_BPF and CAP_NET_ADMIN, or CAP_SYS_ADMIN, on the machine. */
import { closeSync, openSync } from 'node:fs';
import { bind, check } from './libc.ts';
import { koffi } from './native.ts';

/** Of the architectures that we run on. */
const SYS_BPF = process.arch === 'arm64' ? 280 : 321;
const BPF_PROG_LOAD = 5;
const BPF_PROG_ATTACH = 8;
const BPF_PROG_TYPE_CGROUP_DEVICE = 15;
const BPF_CGROUP_DEVICE = 6;
/** Programs of the groups above hold as well. */
const BPF_F_ALLOW_MULTI = 2;
const INSTRUCTION_BYTES = 8;

/** The first members of union bpf_attr for each command: the kernel takes the rest for zero. */
koffi.struct('BpfLoad', { type: 'uint32_t', count: 'uint32_t', instructions: 'uint8_t *', license: 'const char *' });
koffi.struct('BpfAttach', { target: 'uint32_t', program: 'uint32_t', type: 'uint32_t', flags: 'uint32_t' });
const loadProgram = bind('long syscall(long number, int command, const BpfLoad *attr, uint size)');
const attachProgram = bind('long syscall(long number, int command, const BpfAttach *attr, uint size)');

/** From now on `program` is asked of each device that a process of the control group opens or makes. Throws SYSCALL. */
export function filterDevices(directory: string, program: Buffer): void {
  const attr = {
    type: BPF_PROG_TYPE_CGROUP_DEVICE,
    count: program.length / INSTRUCTION_BYTES,
    instructions: program,
    license: 'Apache-2.0',
  };
  const loaded = check(loadProgram(SYS_BPF, BPF_PROG_LOAD, attr, koffi.sizeof('BpfLoad')), 'bpf', 'program for devices');
  try {
    const target = openSync(directory, 'r');
    try {
      const attach = { target, program: loaded, type: BPF_CGROUP_DEVICE, flags: BPF_F_ALLOW_MULTI };
      check(attachProgram(SYS_BPF, BPF_PROG_ATTACH, attach, koffi.sizeof('BpfAttach')), 'bpf', directory);
    } finally {
      closeSync(target);
    }
  } finally {
    closeSync(loaded);
  }
}
