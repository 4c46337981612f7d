/** Capabilities (capabilities(7)) as the calls that set them. Pure. */
import { log } from '../../core/log.ts';
import { ANY, type Step } from '../../host/deputy/layout.ts';
import type { CapabilitySet, Process } from '../config.ts';

/** In the order of their numbers. */
const NAMES = (
  'CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW ' +
  'IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD ' +
  'LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE'
).split(' ');

export const CAPABILITY_NAMES: readonly string[] = NAMES.map((name) => `CAP_${name}`);
const CAP_SYS_ADMIN = 1n << 21n;
const PR_CAPBSET_DROP = 24;
const PR_CAP_AMBIENT = 47;
const PR_CAP_AMBIENT_RAISE = 2;
const PR_CAP_AMBIENT_CLEAR_ALL = 4;
/** _LINUX_CAPABILITY_VERSION_3, of this very process. */
const HEADER = Buffer.alloc(8);
HEADER.writeUInt32LE(0x2008_0522);

export type Capabilities = Readonly<Record<CapabilitySet, bigint>>;

/** What is no capability of any kernel that we know is left out, with a word of warning (config.md#linux-process). */
export function parseCapabilities(given: Process['capabilities'] = {}): Capabilities {
  const unknown = new Set(Object.values(given).flatMap((names) => names.filter((name) => !CAPABILITY_NAMES.includes(name))));
  for (const name of unknown) log.warn(`capability ${name} is not known and cannot be given`);
  const mask = (names: readonly string[] = []): bigint =>
    names.reduce((sum, name) => (unknown.has(name) ? sum : sum | (1n << BigInt(CAPABILITY_NAMES.indexOf(name)))), 0n);
  return {
    bounding: mask(given.bounding),
    effective: mask(given.effective),
    inheritable: mask(given.inheritable),
    permitted: mask(given.permitted),
    ambient: mask(given.ambient),
  };
}

/** To be made while CAP_SETPCAP is there. */
export function boundingSteps({ bounding }: Capabilities): Step[] {
  return NAMES.flatMap((_, number): Step[] =>
    (bounding & (1n << BigInt(number))) === 0n ? [{ call: 'prctl', args: [PR_CAPBSET_DROP, number, 0, 0, 0], least: ANY }] : [],
  );
}

/** `withAdmin`: CAP_SYS_ADMIN stays for what is still to be done. */
export function capabilityStep({ effective, permitted, inheritable }: Capabilities, options: { readonly withAdmin: boolean }): Step {
  const more = options.withAdmin ? CAP_SYS_ADMIN : 0n;
  const data = Buffer.alloc(24);
  for (const [index, mask] of [effective | more, permitted | more, inheritable].entries()) {
    data.writeUInt32LE(Number(mask & 0xffff_ffffn), 4 * index);
    data.writeUInt32LE(Number(mask >> 32n), 12 + 4 * index);
  }
  return { call: 'capset', args: [HEADER, data] };
}

/** What is not permitted and inheritable cannot be ambient: the kernel refuses it. */
export function ambientSteps({ ambient }: Capabilities): Step[] {
  return [
    { call: 'prctl', args: [PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0], least: ANY },
    ...NAMES.flatMap((_, number): Step[] =>
      (ambient & (1n << BigInt(number))) === 0n
        ? []
        : [{ call: 'prctl', args: [PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number, 0, 0], least: ANY }],
    ),
  ];
}
