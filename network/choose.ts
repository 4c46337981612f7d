/** Which backend connects a container (design D9): what was asked for, or the best this machine has. */
import { accessSync, constants } from 'node:fs';
import { EngineError } from '../core/errors.ts';
import { CLOSED_TUN, type Lack, mendHint, mendText, NO_NETWORK_HELPER, NO_TUN, TUN } from '../core/lack.ts';
import { packageWords, thisDistribution } from '../host/distribution.ts';
import { findProgram } from '../host/search.ts';
import type { NetworkBackend } from './backend.ts';

export type BackendName = 'pasta' | 'slirp4netns' | 'none';

export interface NetworkMachine {
  /** containers.conf, helper_binaries_dir: searched before PATH. */
  readonly helperDirectories: readonly string[];
  /** Where probes keep what they found out about helpers. */
  readonly cacheDirectory: string;
  /** Real root, without a user namespace. */
  readonly rootful: boolean;
  /** containers.conf, network_cmd_path: which slirp4netns. */
  readonly slirp4netns?: string;
}

const PACKAGE = { pasta: 'passt', slirp4netns: 'slirp4netns' } as const;

/** The backend asked for by name. Throws HELPER_MISSING with the package to install, NETWORK_SETUP where /dev/net/tun cannot be used. */
export async function openBackend(name: BackendName, machine: NetworkMachine): Promise<NetworkBackend> {
  if (name === 'none') return (await import('./none.ts')).none;
  const program = find(name, machine);
  if (program === undefined) {
    throw new EngineError(
      'HELPER_MISSING',
      `could not find ${name}, the network namespace can't be configured: exec: "${name}": executable file not found in $PATH`,
      { hint: `Install it (${packageWords(PACKAGE[name])}), or use --network none.` },
    );
  }
  const lack = tunLack();
  if (lack !== undefined)
    throw new EngineError('NETWORK_SETUP', `${name} needs ${TUN}: ${lack.what}`, { hint: mendHint(lack, thisDistribution()) });
  const { cacheDirectory, rootful } = machine;
  if (name === 'pasta') return (await import('./pasta.ts')).pasta({ program, cacheDirectory, rootful });
  return (await import('./slirp4netns.ts')).slirp4netns({ program, cacheDirectory });
}

export interface DefaultChoice {
  readonly name: BackendName;
  /** Why there is none. */
  readonly lack?: NetworkLack;
}

export interface NetworkLack {
  readonly code: 'HELPER_MISSING' | 'NETWORK_SETUP';
  readonly what: string;
  /** What to do about it. */
  readonly remedy: string;
}

/**
 * The default where none was asked for: `preferred` (containers.conf, default_rootless_network_cmd), the other one, none.
 * Looks at files only, starts nothing.
 */
export function chooseDefault(machine: NetworkMachine, preferred: 'pasta' | 'slirp4netns' = 'pasta'): DefaultChoice {
  const lack = tunLack();
  if (lack !== undefined) return { name: 'none', lack: inWords('NETWORK_SETUP', lack) };
  const order = preferred === 'pasta' ? (['pasta', 'slirp4netns'] as const) : (['slirp4netns', 'pasta'] as const);
  const name = order.find((candidate) => find(candidate, machine) !== undefined);
  if (name !== undefined) return { name };
  return { name: 'none', lack: inWords('HELPER_MISSING', NO_NETWORK_HELPER) };
}

/** Nothing here forwards ports. */
export function cannotPublish({ code, what, remedy }: NetworkLack): EngineError {
  return new EngineError(code, `ports cannot be published: ${what}`, { hint: remedy });
}

function inWords(code: NetworkLack['code'], lack: Lack): NetworkLack {
  return { code, what: lack.what, remedy: mendText(lack, thisDistribution()) };
}

function find(name: 'pasta' | 'slirp4netns', { helperDirectories, slirp4netns }: NetworkMachine): string | undefined {
  return findProgram(name === 'slirp4netns' && slirp4netns !== undefined && slirp4netns !== '' ? slirp4netns : name, helperDirectories);
}

/** What keeps helpers from making interfaces. */
export function tunLack(): Lack | undefined {
  try {
    accessSync(TUN, constants.R_OK | constants.W_OK);
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? NO_TUN : CLOSED_TUN;
  }
}
