import { describe, expect, test } from 'vitest';
import { diagnosisJson, diagnosisTable, fixPlan } from '../../cli/format/views/doctor.ts';
import { installCommand, installWords, readDistribution } from '../../core/distribution.ts';
import { lackSentence, mendHint, NAMESPACES_FORBIDDEN, NO_ID_HELPERS, NO_TUN, noControllers, noSubordinateIds } from '../../core/lack.ts';
import type { Diagnosis } from '../../libpod/doctor/doctor.ts';
import { degraded, missing, ok } from '../../libpod/doctor/probe.ts';

describe('the distribution is known by its os-release', () => {
  const CASES: Readonly<Record<string, readonly [string, string]>> = {
    'ID=debian\nVERSION_ID="12"': ['debian', 'apt-get install uidmap'],
    'ID=ubuntu\nID_LIKE=debian': ['debian', 'apt-get install uidmap'],
    'ID=fedora\nVERSION_ID=42': ['fedora', 'dnf install shadow-utils'],
    'ID="rocky"\nID_LIKE="rhel centos fedora"': ['fedora', 'dnf install shadow-utils'],
    'ID=arch': ['arch', 'pacman -S shadow'],
    'ID=alpine\nVERSION_ID=3.20.0': ['alpine', 'apk add shadow-subids'],
    'ID="opensuse-tumbleweed"\nID_LIKE="opensuse suse"': ['suse', 'zypper install shadow'],
  };
  for (const [text, [family, command]] of Object.entries(CASES)) {
    test(JSON.stringify(text), () => {
      const distribution = readDistribution(text);
      expect(distribution.family).toBe(family);
      expect(installCommand(distribution, 'uidmap')).toBe(command);
    });
  }

  test('one that nobody knows is told the names of packages', () => {
    const distribution = readDistribution('ID=nixos\n');
    expect(distribution).toEqual({ family: 'other', id: 'nixos', version: 'unknown' });
    expect(installCommand(distribution, 'crun')).toBeUndefined();
    expect(installWords(distribution, 'crun')).toBe("Debian's name of the package: crun");
    expect(readDistribution('').id).toBe('unknown');
  });
});

test('errors and warnings are made of the sentences that doctor says', () => {
  const debian = { family: 'debian' } as const;
  expect(lackSentence(NO_ID_HELPERS, debian)).toBe(
    'only one user id can be used in containers: newuidmap and newgidmap are not installed (Debian: apt-get install uidmap)',
  );
  expect(lackSentence(NO_TUN, debian)).toBe('containers have no network: /dev/net/tun is missing (as root: modprobe tun)');
  expect(mendHint(noSubordinateIds('me'), debian)).toBe('As root: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 me');
  expect(noControllers(['cpu'], false)).toMatchObject({
    what: 'the cgroup controller cpu is not available',
    mend: [{ asRoot: "echo '+cpu' > /sys/fs/cgroup/cgroup.subtree_control" }],
  });
});

const SICK: Diagnosis = {
  verdict: 'missing',
  distribution: { family: 'fedora', id: 'fedora', version: '42' },
  findings: [
    { name: 'kernel', ...ok('Linux 6.1', { release: '6.1' }) },
    { name: 'user-namespace', ...missing(NAMESPACES_FORBIDDEN.seccomp) },
    { name: 'user-ids', ...degraded(NO_ID_HELPERS, { ids: 1 }) },
    { name: 'cgroups', ...degraded(noControllers(['cpu', 'io'], true)) },
    { name: 'linger', ...degraded({ what: 'me does not linger', loss: 'they end', mend: [{ asUser: 'loginctl enable-linger' }] }) },
  ],
};

test('the table is followed by what is lost and how it is mended', () => {
  expect(diagnosisTable(SICK)).toBe(`PROBE           VERDICT     FOUND
kernel          ok          Linux 6.1
user-namespace  missing     a seccomp filter around this process forbids them
user-ids        degraded    newuidmap and newgidmap are not installed
cgroups         degraded    the cgroup controllers cpu, io are not available
linger          degraded    me does not linger

user-namespace: a user namespace cannot be made: a seccomp filter around this process forbids them
  start it where unshare(2) is allowed: in Docker or Podman with --security-opt seccomp=unconfined or --privileged

user-ids: only one user id can be used in containers: newuidmap and newgidmap are not installed
  as root: dnf install shadow-utils

cgroups: limits that need them cannot be set: the cgroup controllers cpu, io are not available
  as root: mkdir -p /etc/systemd/system/user@.service.d && printf '[Service]\\nDelegate=cpu cpuset io memory pids\\n' > /etc/systemd/system/user@.service.d/delegate.conf && systemctl daemon-reload
  log out and in again

linger: they end: me does not linger
  loginctl enable-linger

Containers cannot be started.
`);
});

test('the plan is a shell script: commands of root by sudo, what is done by hand as comments', () => {
  const script = fixPlan(SICK, { isRoot: false });
  expect(script.split('\n')).toEqual([
    '#!/bin/sh',
    '# What lichen doctor would mend on this machine (fedora 42). Read it before you run it.',
    'set -eu',
    '',
    '# user-namespace: a user namespace cannot be made: a seccomp filter around this process forbids them',
    '# By hand: start it where unshare(2) is allowed: in Docker or Podman with --security-opt seccomp=unconfined or --privileged',
    '',
    '# user-ids: only one user id can be used in containers: newuidmap and newgidmap are not installed',
    'sudo dnf install shadow-utils',
    '',
    '# cgroups: limits that need them cannot be set: the cgroup controllers cpu, io are not available',
    expect.stringMatching(/^sudo sh -c 'mkdir -p .* && printf '\\''\[Service\].* && systemctl daemon-reload'$/),
    '# By hand: log out and in again',
    '',
    '# linger: they end: me does not linger',
    'loginctl enable-linger',
    '',
  ]);
  expect(fixPlan(SICK, { isRoot: true })).toMatch(/^dnf install shadow-utils$/m);
  expect(fixPlan({ ...SICK, findings: SICK.findings.slice(0, 1) }, { isRoot: true })).toMatch(/# There is nothing to mend\.\n$/);
});

test('JSON has one entry for each probe, with commands in the words of the distribution', () => {
  const document = JSON.parse(diagnosisJson(SICK)) as { probes: readonly object[] };
  expect({ ...document, probes: document.probes.slice(0, 3) }).toEqual({
    schemaVersion: 1,
    verdict: 'missing',
    distribution: { family: 'fedora', id: 'fedora', version: '42' },
    probes: [
      { name: 'kernel', verdict: 'ok', found: 'Linux 6.1', loss: '', facts: { release: '6.1' }, mend: [] },
      {
        name: 'user-namespace',
        verdict: 'missing',
        found: 'a seccomp filter around this process forbids them',
        loss: 'a user namespace cannot be made',
        facts: {},
        mend: [{ advice: expect.stringContaining('--privileged') }],
      },
      {
        name: 'user-ids',
        verdict: 'degraded',
        found: 'newuidmap and newgidmap are not installed',
        loss: 'only one user id can be used in containers',
        facts: { ids: 1 },
        mend: [{ as: 'root', command: 'dnf install shadow-utils' }],
      },
    ],
  });
});
