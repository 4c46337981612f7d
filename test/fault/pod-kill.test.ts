/** kill -9 of commands that make, start and remove pods, at random moments (S01): `pod rm --force` removes whatever is left, and nothing is. */
import { expect, test } from 'vitest';
import { canMakeImages, fixturePath } from '../fixtures/build/images.ts';
import { canBridge } from '../host/netavark.ts';
import { testHost, type TestHost } from '../host/host.ts';
import { killMany, type Victim } from './killing.ts';
import { expectNothingLeft } from './remains.ts';

const IMAGE = 'localhost/busybox';
const TEST_TIMEOUT_MS = 600_000;
/** A bridge has the most to leave behind. */
const NETWORK = ['--network', canBridge ? 'podman' : 'none'];

async function removed(host: TestHost): Promise<void> {
  await host.succeed(['pod', 'rm', '--force', '--time', '0', '--all']);
}

async function created(host: TestHost): Promise<void> {
  await removed(host);
  await host.succeed(['pod', 'create', ...NETWORK, '--name', 'victim']);
  for (const name of ['a', 'b']) await host.succeed(['create', '--pod', 'victim', '--name', name, IMAGE, 'sleep', '1000']);
}

async function started(host: TestHost): Promise<void> {
  await created(host);
  await host.succeed(['pod', 'start', 'victim']);
}

const VICTIMS: readonly (Victim & { readonly argv: readonly string[] })[] = [
  { argv: ['pod', 'create', ...NETWORK, '--name', 'victim'], kills: 16, prepare: removed },
  { argv: ['pod', 'start', 'victim'], kills: 24, prepare: created },
  { argv: ['pod', 'stop', '--time', '0', 'victim'], kills: 24, prepare: started },
  { argv: ['pod', 'clone', '--start', 'victim', 'copy'], kills: 16, prepare: created },
  { argv: ['pod', 'rm', '--force', '--time', '0', 'victim'], kills: 24, prepare: started },
];

test.skipIf(!canMakeImages).each(VICTIMS.map((victim) => [victim.argv.join(' '), victim] as const))(
  'S01: %s: what a killed one leaves goes with the pod',
  { timeout: TEST_TIMEOUT_MS },
  async (_, victim) => {
    await using host = await testHost();
    await host.succeed(['load', '--quiet', '--input', host.fixture(await fixturePath('busybox'))]);
    await killMany(host, { ...victim, next: ['pod', 'ps'], thorough: nothingIsLeft });
    // A pod of that name can be made and started again.
    await started(host);
    await nothingIsLeft(host);
  },
);

async function nothingIsLeft(host: TestHost): Promise<void> {
  await removed(host);
  expect(await host.succeed(['ps', '--all', '--quiet'])).toBe('');
  await expectNothingLeft(host);
}
