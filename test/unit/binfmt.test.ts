import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runsArchitecture } from '../../host/binfmt.ts';

let directory: string;

const entry = (state: string, magic: string, offset = 0): string =>
  `${state}\ninterpreter /usr/bin/qemu\nflags: OCF\noffset ${offset}\nmagic ${magic}\nmask ffffffffffffff00\n`;
const LITTLE = '7f454c4602010100000000000000000002';

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'binfmt-'));
  const files = {
    status: 'enabled\n',
    'qemu-aarch64': entry('enabled', `${LITTLE}00b700`),
    'qemu-s390x': entry('enabled', '7f454c46020201000000000000000000000200 16'.replace(' ', '')),
    'qemu-riscv64': entry('disabled', `${LITTLE}00f300`),
    'qemu-ppc64le': entry('enabled', `${LITTLE}001500`, 4),
    python: 'enabled\ninterpreter /usr/bin/python\nflags:\nextension .pyc\n',
    jar: entry('enabled', '504b0304'),
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
});
afterAll(() => rmSync(directory, { recursive: true }));

test.each([
  ['amd64', true],
  ['386', true],
  ['arm64', true],
  ['s390x', true],
  ['riscv64', false],
  ['ppc64le', false],
  ['arm', false],
  ['unheard-of', false],
])('%s on amd64: %s', (architecture, runs) => {
  expect(runsArchitecture(architecture, 'amd64', directory)).toBe(runs);
});

test('without binfmt_misc a machine runs its own', () => {
  expect(runsArchitecture('arm64', 'amd64', join(directory, 'missing'))).toBe(false);
  expect(runsArchitecture('arm64', 'arm64', join(directory, 'missing'))).toBe(true);
});
