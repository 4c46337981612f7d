/**
 * The list of allowed devices (config-linux.md#allowed-device-list) as a program of the kernel's (bpf(2), BPF_PROG_TYPE_CGROUP_DEVICE), which is
 * asked before a device is opened or made. Pure.
 */
import { EngineError } from '../../core/errors.ts';
import type { DeviceRule } from '../config.ts';

/** enum of linux/bpf.h */
const ACCESS = { m: 1, r: 2, w: 4 } as const;
const TYPE = { b: 1, c: 2 } as const;
const MOST_INSTRUCTIONS = 4096;
const INSTRUCTION_BYTES = 8;

/** What every container may use, whatever its rules say (config-linux.md#default-devices). Any device can be made: opening it is another matter. */
const ALWAYS: readonly DeviceRule[] = [
  { type: 'c', access: 'm' },
  { type: 'b', access: 'm' },
  ...[3, 5, 7, 8, 9].map((minor) => ({ type: 'c', major: 1, minor, access: 'rwm' })),
  ...[0, 1, 2].map((minor) => ({ type: 'c', major: 5, minor, access: 'rwm' })),
  { type: 'c', major: 136, access: 'rwm' },
].map((rule) => ({ allow: true, ...rule }));

type Register = 0 | 1 | 2 | 3 | 4 | 5;
const RESULT = 0;
const CONTEXT = 1;
/** What is asked for and not allowed yet. */
const ASKED = 2;
const KIND = 3;
const MAJOR = 4;
const MINOR = 5;

/**
 * A request is allowed where each thing that it asks for is: by the last rule that speaks of the device and of that. What no rule speaks of is
 * denied. Throws INVALID_ARGUMENT.
 */
export function deviceFilter(rules: readonly DeviceRule[]): Buffer {
  const last = [...rules, ...ALWAYS].toReversed();
  const program = [
    // struct bpf_cgroup_dev_ctx: the access in the upper half of the first word, the type in the lower.
    load(ASKED, 0),
    move(KIND, ASKED),
    instruction(0x54, KIND, 0, 0, 0xffff), // and
    instruction(0x74, ASKED, 0, 0, 16), //    shift right
    load(MAJOR, 4),
    load(MINOR, 8),
    ...last.flatMap(ruleProgram),
    ...answer(0),
  ];
  if (program.length > MOST_INSTRUCTIONS)
    throw new EngineError('INVALID_ARGUMENT', `linux.resources.devices: ${rules.length} rules are too many`);
  return Buffer.concat(program);
}

/** False where they only allow what is allowed without a program. */
export function areDevicesLimited(rules: readonly DeviceRule[]): boolean {
  return rules.some(({ allow }) => !allow);
}

/** Goes on to the next rule unless this one settles it. */
function ruleProgram(rule: DeviceRule): Buffer[] {
  const access = accessOf(rule);
  const steps = rule.allow
    ? [instruction(0x54, ASKED, 0, 0, ~access), unlessEqual(ASKED, 0, 2), ...answer(1)]
    : [move(RESULT, ASKED), instruction(0x54, RESULT, 0, 0, access), instruction(0x15, RESULT, 0, 2, 0), ...answer(0)];
  const conditions: (readonly [Register, number])[] = [];
  if (rule.type !== undefined && rule.type !== 'a') {
    conditions.push([KIND, kindOf(rule.type)]);
    for (const [register, number] of [
      [MAJOR, rule.major],
      [MINOR, rule.minor],
    ] as const) {
      if (number !== undefined && number !== -1) conditions.push([register, deviceNumber(number)]);
    }
  }
  const tests = conditions.map(([register, value], index) => unlessEqual(register, value, conditions.length - index - 1 + steps.length));
  return [...tests, ...steps];
}

function accessOf({ access = 'rwm' }: DeviceRule): number {
  const letters = [...(access === '' ? 'rwm' : access)];
  if (!letters.every((each): each is keyof typeof ACCESS => each in ACCESS))
    throw new EngineError('INVALID_ARGUMENT', `linux.resources.devices: access ${JSON.stringify(access)} is not made of r, w and m`);
  return letters.reduce((bits, each) => bits | ACCESS[each], 0);
}

/** `u` is another name of `c` (mknod(1)). */
function kindOf(type: string): number {
  if (type === 'b') return TYPE.b;
  if (type === 'c' || type === 'u') return TYPE.c;
  throw new EngineError('INVALID_ARGUMENT', `linux.resources.devices: type ${JSON.stringify(type)} is not a, b or c`);
}

function deviceNumber(value: number): number {
  if (Number.isInteger(value) && value >= 0 && value < 2 ** 31) return value;
  throw new EngineError('INVALID_ARGUMENT', `linux.resources.devices: ${value} is no number of a device`);
}

function load(target: Register, offset: number): Buffer {
  return instruction(0x61, target, CONTEXT, offset, 0);
}

function move(target: Register, source: Register): Buffer {
  return instruction(0xbf, target, source, 0, 0);
}

function unlessEqual(register: Register, value: number, skip: number): Buffer {
  return instruction(0x55, register, 0, skip, value);
}

function answer(result: 0 | 1): Buffer[] {
  return [instruction(0xb7, RESULT, 0, 0, result), instruction(0x95, RESULT, 0, 0, 0)];
}

/** struct bpf_insn; little-endian, as all machines we run on are. */
function instruction(code: number, target: Register, source: Register, offset: number, value: number): Buffer {
  const bytes = Buffer.alloc(INSTRUCTION_BYTES);
  bytes.writeUInt8(code, 0);
  bytes.writeUInt8(target | (source << 4), 1);
  bytes.writeInt16LE(offset, 2);
  bytes.writeInt32LE(value, 4);
  return bytes;
}
