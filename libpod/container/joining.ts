/** Which runtimes can enter a user namespace and a network that is none of it: those of pods with ids of their own, and of `--userns container:ID`. */
import { basename } from 'node:path';
import { EngineError } from '../../core/errors.ts';
import type { Engine } from '../engine.ts';
import { EMBEDDED } from '../runtime/runtime.ts';
import type { ContainerConfig } from '../spec/container.ts';

type Joining = Pick<ContainerConfig, 'idMap' | 'namespaces' | 'network'>;

/** runc enters the user namespace first, and has no right to a network of lichen's from there. */
export function canJoin(engine: Engine, config: Joining, runtime: string): boolean {
  return (
    basename(runtime) !== 'runc' || config.idMap === undefined || config.namespaces.user.kind !== 'container' || ownsNetwork(engine, config)
  );
}

/** Throws NOT_SUPPORTED. */
export function refuseUnlessJoining(engine: Engine, config: Joining, runtime: string): void {
  if (canJoin(engine, config, runtime)) return;
  throw new EngineError('NOT_SUPPORTED', `runc cannot enter the user namespace of another container and a network beside it`, {
    hint: `Other runtimes can: --runtime crun, or --runtime ${EMBEDDED}, which is lichen's own.`,
  });
}

/** The runtime has made it, in the user namespace. */
function ownsNetwork(engine: Engine, { network: { mode } }: Joining): boolean {
  if (mode.kind !== 'container') return mode.kind === 'none' || mode.kind === 'host';
  return ownsNetwork(engine, engine.containers.find(mode.container).config);
}
