/** Programs that decide on devices, run by an interpreter of the few instructions they are made of (Documentation/bpf/standardization/instruction-set.rst). */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { deviceFilter } from '../../runtime/cgroup/device-filter.ts';
import type { DeviceRule } from '../../runtime/config.ts';

interface Request {
  readonly type: 'b' | 'c';
  readonly major: number;
  readonly minor: number;
  /** Of r, w and m. */
  readonly access: string;
}

const BITS: Readonly<Record<string, number>> = { m: 1, r: 2, w: 4 };

function isAllowed(rules: readonly DeviceRule[], { type, major, minor, access }: Request): boolean {
  const program = deviceFilter(rules);
  const bits = [...access].reduce((sum, letter) => sum | BITS[letter]!, 0);
  const context = [(bits << 16) | (type === 'b' ? 1 : 2), major, minor];
  const registers = [0, 0, 0, 0, 0, 0];
  for (let at = 0; ; at++) {
    const code = program.readUInt8(8 * at);
    const both = program.readUInt8(8 * at + 1);
    const [target, source] = [both & 15, both >> 4];
    const offset = program.readInt16LE(8 * at + 2);
    const value = program.readInt32LE(8 * at + 4);
    const own = registers[target]!;
    if (code === 0x95) return registers[0] === 1;
    if (code === 0x61) registers[target] = context[offset / 4]!;
    else if (code === 0xbf) registers[target] = registers[source]!;
    else if (code === 0xb7) registers[target] = value;
    else if (code === 0x54) registers[target] = (own & value) >>> 0;
    else if (code === 0x74) registers[target] = own >>> value;
    else if (code === 0x55) at += own === value ? 0 : offset;
    else if (code === 0x15) at += own === value ? offset : 0;
    else throw new Error(`instruction ${code.toString(16)}`);
  }
}

const NONE: DeviceRule = { allow: false, access: 'rwm' };
const sda = { type: 'b', major: 8, minor: 0 } as const;

test('what no rule speaks of is denied, the default devices never', () => {
  expect(isAllowed([], { ...sda, access: 'r' })).toBe(false);
  expect(isAllowed([NONE], { type: 'c', major: 1, minor: 3, access: 'rw' })).toBe(true);
  expect(isAllowed([NONE], { type: 'c', major: 136, minor: 77, access: 'rw' })).toBe(true);
  expect(isAllowed([NONE], { ...sda, access: 'm' })).toBe(true);
  expect(isAllowed([NONE], { ...sda, access: 'mr' })).toBe(false);
});

test('each kind of access is settled by the last rule that speaks of it', () => {
  const rules: DeviceRule[] = [NONE, { allow: true, ...sda, access: 'r' }, { allow: true, type: 'b', major: 8, minor: -1, access: 'w' }];
  expect(isAllowed(rules, { ...sda, access: 'rw' })).toBe(true);
  expect(isAllowed(rules, { ...sda, minor: 1, access: 'r' })).toBe(false);
  expect(isAllowed([...rules, { allow: false, ...sda, access: 'w' }], { ...sda, access: 'rw' })).toBe(false);
  expect(isAllowed([...rules, { allow: false, ...sda, access: 'w' }], { ...sda, access: 'r' })).toBe(true);
  expect(isAllowed([{ allow: true, type: 'a', access: 'rwm' }], { type: 'c', major: 10, minor: 200, access: 'rw' })).toBe(true);
});

test('any rules do what their list says', () => {
  const access = fc.subarray(['r', 'w', 'm'], { minLength: 1 }).map((letters) => letters.join(''));
  const type = fc.constantFrom('b' as const, 'c' as const);
  const number = fc.integer({ min: 200, max: 202 });
  const some = fc.option(fc.constantFrom(-1, 200, 201), { nil: undefined });
  const rule = fc.record({ allow: fc.boolean(), type: fc.constantFrom(undefined, 'a', 'b', 'c'), major: some, minor: some, access });
  fc.assert(
    fc.property(fc.array(rule, { maxLength: 8 }), fc.record({ type, major: number, minor: number, access }), (rules, request) => {
      const speaksOf = (each: (typeof rules)[number], letter: string): boolean =>
        each.access.includes(letter) &&
        (each.type === undefined ||
          each.type === 'a' ||
          (each.type === request.type &&
            [undefined, -1, request.major].includes(each.major) &&
            [undefined, -1, request.minor].includes(each.minor)));
      const expected = [...request.access].every(
        (letter) => letter === 'm' || rules.findLast((each) => speaksOf(each, letter))?.allow === true,
      );
      expect(isAllowed(rules as DeviceRule[], request)).toBe(expected);
    }),
  );
});

test.each([
  [{ allow: true, type: 'p' }, 'type "p" is not a, b or c'],
  [{ allow: true, access: 'rx' }, 'access "rx" is not made of r, w and m'],
  [{ allow: true, type: 'c', major: 1.5 }, '1.5 is no number of a device'],
  [{ allow: true, type: 'c', major: 1, minor: -2 }, '-2 is no number of a device'],
])('%j is refused', (rule, words) => {
  expect(() => deviceFilter([rule])).toThrow(`linux.resources.devices: ${words}`);
});

test('more rules than a program has room for are refused', () => {
  expect(() => deviceFilter(Array.from({ length: 1000 }, () => ({ allow: true, ...sda, access: 'r' })))).toThrow('1000 rules are too many');
});
