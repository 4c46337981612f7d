import { expect, test } from 'vitest';
import { ALL_CAPABILITIES } from '../../libpod/spec/capabilities.ts';
import { DEFAULTS } from '../../libpod/spec/defaults.ts';
import { defaultSeccompProfile, seccompFilter } from '../../libpod/spec/seccomp.ts';
import podman from '../fixtures/oci/podman/run-default.json' with { type: 'json' };

const FACTS = { capabilities: DEFAULTS.capabilities, arch: 'x64', kernel: '6.1.0-13-amd64' };
const profile = await defaultSeccompProfile();

/** The actions for a system call, in order. */
function actions(filter: ReturnType<typeof seccompFilter>, name: string): string[] {
  return filter.syscalls.filter(({ names }) => names.includes(name)).map(({ action }) => action);
}

test("the built-in profile with the default capabilities is exactly Podman's filter", () => {
  expect(seccompFilter(profile, 'built-in', FACTS)).toEqual(podman.linux.seccomp);
});

test('a capability opens the calls that need it', () => {
  expect(actions(seccompFilter(profile, 'built-in', FACTS), 'setns')).toContain('SCMP_ACT_ERRNO');
  const all = seccompFilter(profile, 'built-in', { ...FACTS, capabilities: ALL_CAPABILITIES });
  expect(actions(all, 'setns')).not.toContain('SCMP_ACT_ERRNO');
  expect(actions(all, 'bpf')).not.toContain('SCMP_ACT_ERRNO');
});

test('the architecture decides which calls there are', () => {
  const arm = seccompFilter(profile, 'built-in', { ...FACTS, arch: 'arm64' });
  expect(arm.architectures).toEqual(['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM']);
  expect(actions(arm, 'arch_prctl')).toEqual([]);
  expect(actions(arm, 'cacheflush')).toEqual(['SCMP_ACT_ALLOW']);
});

test('a rule with a minimal kernel holds from that kernel on', () => {
  const rule = { names: ['ptrace'], action: 'SCMP_ACT_ALLOW', includes: { minKernel: '4.8' } };
  const at = (kernel: string): number =>
    seccompFilter({ defaultAction: 'SCMP_ACT_ERRNO', syscalls: [rule] }, 'p', { ...FACTS, kernel }).syscalls.length;
  expect([at('4.7.9'), at('4.8.0-1'), at('5.0'), at('10.2')]).toEqual([0, 1, 1, 1]);
});

const BROKEN: readonly (readonly [document: unknown, words: string])[] = [
  [[], 'no object'],
  [{}, 'defaultAction'],
  [{ defaultAction: 'allow' }, 'defaultAction'],
  [{ defaultAction: 'SCMP_ACT_ERRNO', syscalls: {} }, 'syscalls is no list'],
  [{ defaultAction: 'SCMP_ACT_ERRNO', syscalls: [{ names: ['a'] }] }, 'syscalls[0]: action'],
  [{ defaultAction: 'SCMP_ACT_ERRNO', syscalls: [{ names: [3], action: 'SCMP_ACT_ALLOW' }] }, 'names no system call'],
  [{ defaultAction: 'SCMP_ACT_ERRNO', syscalls: [{ name: 'a', names: ['b'], action: 'SCMP_ACT_ALLOW' }] }, "use either 'name' or 'names'"],
  [{ defaultAction: 'SCMP_ACT_ERRNO', architectures: ['x'], archMap: [{}] }, "use either 'architectures' or 'archMap'"],
  [{ defaultAction: 'SCMP_ACT_ERRNO', syscalls: [{ names: ['a'], action: 'SCMP_ACT_ALLOW', excludes: { caps: 'x' } }] }, 'excludes'],
];

for (const [document, words] of BROKEN) {
  test(`a profile is refused, not replaced by none: ${words}`, () => {
    expect(() => seccompFilter(document, '/p.json', FACTS)).toThrow(
      expect.objectContaining({
        code: 'INVALID_ARGUMENT',
        message: expect.stringMatching(/^loading seccomp profile \(\/p\.json\) failed: /),
      }),
    );
    expect(() => seccompFilter(document, '/p.json', FACTS)).toThrow(words);
  });
}
