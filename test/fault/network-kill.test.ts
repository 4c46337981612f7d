/**
 * kill -9 of commands that make, change and end networks, at random moments (S01): no interface, rule, address, name or helper is left, and what a
 * container says of its networks is what it has.
 */
import { existsSync, readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { canBridge } from '../host/netavark.ts';
import { canMakeImages, fixturePath } from '../fixtures/build/images.ts';
import { testHost, type TestHost } from '../host/host.ts';
import { killMany, type Victim } from './killing.ts';
import { expectNothingLeft } from './remains.ts';

const IMAGE = 'localhost/busybox';
const SLEEP = ['sleep', '1000'] as const;
const TEST_TIMEOUT_MS = 300_000;

async function runVictim(host: TestHost): Promise<void> {
  await host.succeed(['rm', '--force', '--time', '0', '--ignore', 'victim']);
  await host.succeed(['run', '--detach', '--name', 'victim', '--network', 'red', IMAGE, ...SLEEP]);
}

async function connectedVictim(host: TestHost): Promise<void> {
  await runVictim(host);
  await host.succeed(['network', 'connect', 'blue', 'victim']);
}

const VICTIMS: readonly (Victim & { readonly argv: readonly string[] })[] = [
  { argv: ['run', '--rm', '--network', 'red', IMAGE, 'true'], kills: 4 },
  { argv: ['run', '--detach', '--network', 'red', '--network', 'blue', '-p', '127.0.0.1::80', IMAGE, ...SLEEP], kills: 4 },
  { argv: ['rm', '--force', '--time', '0', 'victim'], kills: 4, prepare: connectedVictim },
  { argv: ['network', 'connect', 'blue', 'victim'], kills: 4, prepare: runVictim, check: isInWhatItSays },
  { argv: ['network', 'disconnect', 'blue', 'victim'], kills: 4, prepare: connectedVictim, check: isInWhatItSays },
];

for (const victim of VICTIMS) {
  test.skipIf(!canMakeImages || !canBridge)(
    `S01: ${victim.argv.join(' ')}: a killed one is put in order by the next command`,
    { timeout: TEST_TIMEOUT_MS },
    async () => {
      await using host = await testHost();
      await host.succeed(['load', '--quiet', '--input', host.fixture(await fixturePath('busybox'))]);
      await host.succeed(['network', 'create', '--subnet', '10.201.0.0/24', 'red']);
      await host.succeed(['network', 'create', '--subnet', '10.202.0.0/24', 'blue']);
      await killMany(host, { ...victim, thorough: nothingIsLeft });
      expect(await host.succeed(['network', 'rm', 'red', 'blue'])).toBe('red\nblue');
    },
  );
}

/** With the last container the namespace of all bridges goes: nothing that was in it can be left. */
async function nothingIsLeft(host: TestHost): Promise<void> {
  await expectNothingLeft(host);
  const directory = host.path(`${host.runDir}/networks`);
  const left = existsSync(directory) ? readdirSync(directory) : [];
  expect(left.filter((name) => ['netns', 'netns.pid', 'shared.json', 'aardvark-dns'].includes(name))).toEqual([]);
  const pending = `${directory}/pending`;
  expect(existsSync(pending) ? readdirSync(pending) : []).toEqual([]);
}

/** Its interfaces, the names that it has there, and its addresses are those of the networks that it is listed in. */
async function isInWhatItSays(host: TestHost): Promise<void> {
  const listed = (await host.succeed(['ps', '--filter', 'name=victim', '--format', '{{.Networks}}'])).split(',').toSorted();
  const addresses = await host.succeed(['exec', 'victim', 'ip', '-o', '-4', 'addr']);
  const seen = [/10\.202\./.test(addresses) ? 'blue' : '', /10\.201\./.test(addresses) ? 'red' : ''].filter((name) => name !== '');
  expect(seen).toEqual(listed);
  const directory = host.path(`${host.runDir}/networks/aardvark-dns`);
  expect(
    readdirSync(directory)
      .filter((name) => name !== 'aardvark.pid')
      .toSorted(),
  ).toEqual(listed);
}
