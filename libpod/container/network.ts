/** A container's network through the network room. */
import { EngineError } from '../../core/errors.ts';
import type { NetworkAttachment, NetworkBackend } from '../../network/backend.ts';
import type { BegunNetwork } from '../../network/early.ts';
import { cannotPublish, chooseDefault, openBackend, type BackendName, type NetworkMachine } from '../../network/choose.ts';
import { findForwarder, FORWARDER, parseForwarder, withForwarder } from '../../network/forward/forward.ts';
import type { Engine } from '../engine.ts';
import { warnOnce } from '../once.ts';
import type { ContainerConfig } from '../spec/container.ts';
import type { NetworkMode } from '../spec/wish.ts';
import type { ContainerPlaces } from './places.ts';

/** Must lichen make a network namespace? Not where none is wanted, one exists already, or (`none`) the runtime makes an unconnected one. */
export function needsNamespace(config: ContainerConfig): boolean {
  const { kind } = config.network.mode;
  return kind === 'pasta' || kind === 'slirp4netns' || kind === 'bridge';
}

/**
 * The mode of a container that asked for none: what this machine has. Where that is nothing it is said once, and is `none`, or `host` where
 * LICHEN_NET_FALLBACK says so. Throws HELPER_MISSING and NETWORK_SETUP (nothing here can publish ports), INVALID_ARGUMENT (that variable).
 */
export function defaultNetworkMode(engine: Engine, publishes: boolean): NetworkMode {
  const { name, lack } = chooseDefault(networkMachine(engine), engine.settings.defaults.rootlessNetwork);
  if (name !== 'none') return { kind: name, options: [] };
  if (lack !== undefined && publishes) throw cannotPublish(lack);
  const kind = fallback(engine.options.env['LICHEN_NET_FALLBACK']);
  if (lack !== undefined)
    warnOnce(engine, 'network', `containers have ${kind === 'none' ? 'no' : "the host's"} network: ${lack.what} (${lack.remedy})`);
  return { kind };
}

function fallback(word = ''): 'none' | 'host' {
  if (word === '') return 'none';
  if (word === 'none' || word === 'host') return word;
  throw new EngineError('INVALID_ARGUMENT', `LICHEN_NET_FALLBACK is ${JSON.stringify(word)}: it must be none or host`);
}

/** What the launcher has begun may be there already. Throws HELPER_MISSING, NETWORK_SETUP, INVALID_ARGUMENT, and what attachNetworks throws. */
export async function setUpNetwork(
  engine: Engine,
  config: ContainerConfig,
  { netns, run }: Pick<ContainerPlaces, 'netns' | 'run'>,
  begun: BegunNetwork | undefined,
): Promise<NetworkAttachment> {
  const { mode, ports } = config.network;
  if (mode.kind === 'bridge') return (await import('../network/attach.ts')).attachNetworks(engine, config, { netns, run });
  const name = mode.kind as BackendName;
  const backend = await backendOf(engine, name);
  const asked = 'options' in mode ? mode.options : [];
  const configured = name === 'pasta' ? engine.settings.pastaOptions : name === 'slirp4netns' ? engine.settings.slirpOptions : [];
  const usual = engine.identity.rootless && asked.length === 0;
  return backend.setup({ netns, id: config.id, runDir: run, ports, options: [...configured, ...asked], begun, usual });
}

/** Throws INVALID_ARGUMENT, HELPER_MISSING, NETWORK_SETUP. */
async function backendOf(engine: Engine, name: BackendName): Promise<NetworkBackend> {
  const backend = await openBackend(name, networkMachine(engine));
  const asked = parseForwarder(engine.options.env['LICHEN_PORT_FORWARDER']);
  const program = asked === FORWARDER ? findForwarder(engine.settings.helperDirectories) : undefined;
  return program === undefined ? backend : withForwarder(backend, program);
}

export function networkMachine(engine: Engine): NetworkMachine {
  return {
    helperDirectories: engine.settings.helperDirectories,
    cacheDirectory: engine.paths.run,
    rootful: !engine.identity.rootless,
    ...(engine.options.networkCommand === undefined ? {} : { slirp4netns: engine.options.networkCommand }),
  };
}
