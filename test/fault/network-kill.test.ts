/**
 * kill -9 of commands that make, change and end networks, four at a time at random moments (S01): no interface, rule, address, name or helper is left, and
 * what a container says of its networks is what it has.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { canBridge } from '../host/netavark.ts';
import { canMakeImages, fixturePath } from '../fixtures/build/images.ts';
import { testHost, type TestHost } from '../host/host.ts';
import { chance, sampleOf, SEED } from './chance.ts';
import { killMany, type Victim } from './killing.ts';
import { expectNothingLeft } from './remains.ts';

const IMAGE = 'localhost/busybox';
const SLEEP = ['sleep', '1000'] as const;
const SUBNETS = { red: '10.201.0.', blue: '10.202.0.' } as const;
const KILLS = sampleOf(200);
const ROUNDS_PER_AUDIT = 8;
const NEXT_COMMAND_MS = 20_000;
const TEST_TIMEOUT_MS = 900_000;

test.skipIf(!canMakeImages || !canBridge)(
  `S01: ${KILLS} kills of run, rm, connect and disconnect: the next command puts networks in order`,
  { timeout: TEST_TIMEOUT_MS },
  async () => {
    await using host = await testHost();
    await host.succeed(['load', '--quiet', '--input', host.fixture(await fixturePath('busybox'))]);
    for (const [name, prefix] of Object.entries(SUBNETS)) await host.succeed(['network', 'create', '--subnet', `${prefix}0/24`, name]);
    const random = chance('networks');
    let kills = 0;
    const usualMs = [1000, 1000, 1500, 1500];
    for (let round = 0; kills < KILLS; round++) {
      if (round > KILLS) throw new Error(`only ${kills} kills of ${round * 4} met a living process`);
      try {
        const known = await containers(host);
        await prepare(host, known);
        const commands = commandsFor(known, random);
        const met = await Promise.all(commands.map((argv, index) => killAfter(host, argv, random() * usualMs[index]!)));
        kills += met.filter(Boolean).length;
        // So that most kills meet a living process, and the ends of commands are met as well as their beginnings.
        met.forEach((isMet, index) => (usualMs[index]! *= isMet ? 1.05 : 0.85));
        if (round % ROUNDS_PER_AUDIT === 0) await audit(host);
      } catch (error) {
        throw new Error(`LICHEN_FAULT_SEED=${SEED}, round ${round}: ${(error as Error).message}`, { cause: error });
      }
    }
    await audit(host);
    await nothingIsLeft(host);
    expect(await host.succeed(['network', 'rm', 'red', 'blue'])).toBe('red\nblue');
  },
);

const green = ['--subnet', '10.203.0.0/24', 'green'];

const DEFINING: readonly (Victim & { readonly argv: readonly string[] })[] = [
  {
    argv: ['network', 'create', ...green],
    kills: 24,
    prepare: (host) => host.succeed(['network', 'rm', '--force', 'green']),
  },
  {
    argv: ['network', 'rm', '--force', '--time', '0', 'green'],
    kills: 24,
    prepare: withGuest,
  },
  {
    argv: ['stop', '--time', '0', 'guest'],
    kills: 24,
    prepare: withGuest,
  },
];

async function withGuest(host: TestHost): Promise<void> {
  await host.succeed(['network', 'create', '--ignore', ...green]);
  await host.succeed(['run', '--detach', '--replace', '--name', 'guest', '--network', 'green', IMAGE, ...SLEEP]);
}

test.skipIf(!canMakeImages || !canBridge).each(DEFINING.map((victim) => [victim.argv.join(' '), victim] as const))(
  'S01: %s: a network is whole or not there, and goes with its containers',
  { timeout: TEST_TIMEOUT_MS },
  async (_, victim) => {
    await using host = await testHost();
    await host.succeed(['load', '--quiet', '--input', host.fixture(await fixturePath('busybox'))]);
    const thorough = async () => {
      await host.succeed(['network', 'rm', '--force', '--time', '0', 'green']);
      expect(await host.succeed(['ps', '--all', '--quiet'])).toBe('');
      await nothingIsLeft(host);
      // Name and subnet are free.
      await host.succeed(['network', 'create', ...green]);
      await host.succeed(['network', 'rm', 'green']);
    };
    await killMany(host, { ...victim, next: ['network', 'ls'], thorough });
  },
);

/** Names of networks by the container's name. This is the next command, which puts things in order. */
async function containers(host: TestHost): Promise<ReadonlyMap<string, readonly string[]>> {
  const { exitCode, stdout, stderr } = await host.lichen(['ps', '--all', '--format', '{{.Names}} {{.State}} {{.Networks}}'], {
    timeoutMs: NEXT_COMMAND_MS,
  });
  if (exitCode !== 0) throw new Error(`the next command failed with ${exitCode}: ${stderr}`);
  const lines = stdout.split('\n').filter((line) => line !== '');
  return new Map(
    lines.map((line) => {
      const [name = '', state, networks = ''] = line.split(' ');
      return [name, state === 'running' ? networks.split(',').filter(Boolean) : []];
    }),
  );
}

/** Containers that are joined to networks and taken from them while they run. They are there at the beginning of each round, in `red` at least. */
const WALKERS = ['one', 'two'];

async function prepare(host: TestHost, known: ReadonlyMap<string, readonly string[]>): Promise<void> {
  for (const name of WALKERS.filter((walker) => (known.get(walker) ?? []).length === 0)) {
    await host.succeed(['rm', '--force', '--ignore', '--time', '0', name]);
    await host.succeed(['run', '--detach', '--name', name, '--network', 'red', IMAGE, ...SLEEP]);
  }
}

/** Two walkers, a container that comes and goes, and one that is soon over. */
function commandsFor(known: ReadonlyMap<string, readonly string[]>, random: () => number): readonly (readonly string[])[] {
  const walks = WALKERS.map((name) => ['network', (known.get(name) ?? []).includes('blue') ? 'disconnect' : 'connect', 'blue', name]);
  const guest = known.has('guest')
    ? ['rm', '--force', '--time', '0', 'guest']
    : ['run', '--detach', '--name', 'guest', '--network', 'blue', '--network', 'red', '-p', '127.0.0.1::80', IMAGE, ...SLEEP];
  return [...walks, guest, ['run', '--rm', '--network', random() < 0.5 ? 'red' : 'blue', IMAGE, 'true']];
}

/** True when it met a living process. */
async function killAfter(host: TestHost, argv: readonly string[], afterMs: number): Promise<boolean> {
  await using command = host.spawnLichen(argv);
  command.endInput();
  await Promise.race([delay(afterMs), command.finished]);
  command.signal('SIGKILL');
  const { exitCode, stderr } = await command.finish(30_000);
  if (exitCode !== 0 && exitCode !== 128 + 9) throw new Error(`${argv.join(' ')}: exit ${exitCode}: ${stderr}`);
  return exitCode !== 0;
}

/** Interfaces, names and rules are those of the networks that running containers are listed in. */
async function audit(host: TestHost): Promise<void> {
  const known = [...(await containers(host))].filter(([, networks]) => networks.length > 0);
  const addresses = new Map<string, string>();
  for (const [name, networks] of known) {
    const seen = await host.succeed(['exec', name, 'ip', '-o', '-4', 'addr']);
    const found = Object.entries(SUBNETS).flatMap(([network, prefix]) => {
      const [address] = new RegExp(`${prefix}\\d+`).exec(seen) ?? [];
      if (address !== undefined) addresses.set(`${network}/${name}`, address);
      return address === undefined ? [] : [network];
    });
    expect(found.toSorted(), `${name} says it is in ${networks.join()}`).toEqual(networks.toSorted());
  }
  expect(namesKnown(host)).toEqual([...addresses].map(([key, address]) => `${key.split('/')[0]} ${address}`).toSorted());
  if (known.length === 0) return;
  const inside = await host.succeed([
    'unshare',
    '--rootless-netns',
    'sh',
    '-c',
    'ip -o link; PATH=$PATH:/usr/sbin; nft list ruleset; iptables-save',
  ]);
  expect(inside.match(/: veth\d+@/g) ?? []).toHaveLength(addresses.size);
  const ruled = new Set([...inside.matchAll(/10\.20[12]\.0\.\d+/g)].map(([address]) => address));
  const allowed = [...addresses.values(), ...known.flatMap(([, networks]) => networks.flatMap(standing))];
  expect([...ruled].filter((address) => !allowed.includes(address))).toEqual([]);
}

/** In rules of a network that is in use. */
function standing(network: string): readonly string[] {
  const prefix = SUBNETS[network as keyof typeof SUBNETS];
  return [`${prefix}0`, `${prefix}1`];
}

/** `NETWORK ADDRESS` of each container that aardvark-dns knows. */
function namesKnown(host: TestHost): readonly string[] {
  const directory = host.path(`${host.runDir}/networks/aardvark-dns`);
  const networks = existsSync(directory) ? readdirSync(directory).filter((name) => name !== 'aardvark.pid') : [];
  return networks
    .flatMap((network) =>
      [...readFileSync(`${directory}/${network}`, 'utf8').matchAll(/^[0-9a-f]{64} (\S+)/gm)].map(([, address]) => `${network} ${address}`),
    )
    .toSorted();
}

/** With the last container the namespace of all bridges goes: nothing that was in it can be left. */
async function nothingIsLeft(host: TestHost): Promise<void> {
  await expectNothingLeft(host);
  const directory = host.path(`${host.runDir}/networks`);
  const left = existsSync(directory) ? readdirSync(directory) : [];
  expect(left.filter((name) => ['netns', 'netns.pid', 'shared.json', 'rules.json', 'aardvark-dns'].includes(name))).toEqual([]);
  const pending = `${directory}/pending`;
  expect(existsSync(pending) ? readdirSync(pending) : []).toEqual([]);
}
