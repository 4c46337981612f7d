import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { BridgeLink } from '../../network/bridge/attachment.ts';
import { defaultDefinition } from '../../network/bridge/definition.ts';
import { forgetRules, haveRules, noteRules } from '../../network/bridge/rules.ts';
import { isRecentVersion } from '../../network/bridge/version.ts';

let directory: string;
beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), 'rules-'))));
afterEach(() => rmSync(directory, { recursive: true }));

function link(name: string, subnet: string): BridgeLink {
  return { definition: defaultDefinition({ name, subnet }, 0), interfaceName: 'eth0', addresses: [], aliases: [] };
}

const red = link('red', '10.1.0.0/24');
const blue = link('blue', '10.2.0.0/24');

test('a network has rules from when they are noted until they are forgotten', () => {
  expect(haveRules(directory, [red])).toBe(false);
  noteRules(directory, [red]);
  noteRules(directory, [red, blue]);
  expect(haveRules(directory, [red, blue])).toBe(true);
  forgetRules(directory, [red]);
  expect(haveRules(directory, [blue])).toBe(true);
  expect(haveRules(directory, [red, blue])).toBe(false);
});

test('a network of the same name with other addresses has no rules yet', () => {
  noteRules(directory, [red]);
  expect(haveRules(directory, [link('red', '10.3.0.0/24')])).toBe(false);
});

test('a damaged note is none', () => {
  writeFileSync(join(directory, 'rules.json'), '[');
  expect(haveRules(directory, [red])).toBe(false);
});

test.each([
  ['netavark 1.4.0', false],
  ['netavark 1.9.0', false],
  ['netavark 1.10.3', true],
  ['aardvark-dns 1.17.1', true],
  ['netavark 2.0.0-rc1', true],
  ['something else', false],
])('%s is recent: %s', (said, recent) => {
  expect(isRecentVersion(said)).toBe(recent);
});

test('the id of the usual default network is the hash of its name, as of any other', () => {
  const { id } = defaultDefinition({ name: 'podman', subnet: '10.88.0.0/16' }, 0);
  expect(id).toBe('2f259bab93aaaaa2542ba43ef33eb990d0999ee1b9924b557b7be53c0b7a1bb9');
});
