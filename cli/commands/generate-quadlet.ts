import { join } from 'node:path';
import { EngineError, orAbsent } from '../../core/errors.ts';
import { systemWords } from '../../core/system-words.ts';
import { replaceFile } from '../../host/replace-file.ts';
import type { Engine } from '../../libpod/engine.ts';
import { findNetwork } from '../../libpod/network/store.ts';
import { podTable } from '../../libpod/pod/rows.ts';
import type { ContainerRecord } from '../../libpod/state/containers.ts';
import type { PodConfig } from '../../libpod/state/pods.ts';
import type { VolumeRecord } from '../../libpod/state/volumes.ts';
import type { NetworkDefinition } from '../../network/bridge/definition.ts';
import { networkFile, type QuadletFile, quadletText, volumeFile } from '../../libpod/quadlet/describe.ts';
import { atLeast } from '../arguments.ts';
import { defineCommand } from '../command.ts';
import { flagTable } from '../flag.ts';
import { containerQuadlet } from '../units/container-quadlet.ts';
import type { Beside } from '../units/flag-entries.ts';
import { podQuadlet } from '../units/pod-quadlet.ts';

export const command = defineCommand(
  {
    usage: '[options] {CONTAINER|POD|VOLUME|NETWORK} [...]',
    summary: 'Write Quadlet files for containers, pods, volumes and networks',
    description:
      'Write Quadlet files by which systemd makes and runs what is there now; with a pod, those of its containers too. Several are written as one file for `quadlet install`.',
    examples: ['generate quadlet CTR', 'generate quadlet CTR VOLUME > app.quadlets', 'generate quadlet --files CTR VOLUME'],
    flags: flagTable({
      files: { kind: 'bool', short: 'f', help: 'Write a file for each into this directory' },
    }),
    args: atLeast(1),
    complete: ['container'],
  },
  async (context, names, { files: asFiles }) => {
    const engine = await context.openEngine();
    const found = withMembers(engine, await Promise.all([...new Set(names)].map((name) => lookUp(engine, name))));
    const of = <K extends Found['kind']>(kind: K) => found.filter((one): one is Extract<Found, { kind: K }> => one.kind === kind);
    const beside = {
      volumes: new Set(of('volume').map(({ record }) => record.name)),
      networks: new Set(of('network').map(({ record }) => record.name)),
      pods: new Set(of('pod').map(({ record }) => record.name)),
    };
    const files = found.map((one) => describe(engine, one, beside));
    const twice = files.find(({ name }, index) => files.findIndex((other) => other.name === name) !== index);
    if (twice !== undefined && !asFiles)
      throw new EngineError('INVALID_ARGUMENT', `two of them are called ${twice.name}`, { hint: 'Use --files, or one command for each.' });
    if (!asFiles) {
      context.stdout.write(quadletText(files));
      return;
    }
    for (const { name, kind, text } of files) {
      const path = join(context.cwd, `${name}.${kind}`);
      try {
        replaceFile(path, text, 0o644);
      } catch (cause) {
        throw new EngineError('INVALID_ARGUMENT', `writing ${path}: ${systemWords(cause)}`, { cause });
      }
      context.stdout.line(path);
    }
  },
);

type Found =
  | { readonly kind: 'container'; readonly record: ContainerRecord }
  | { readonly kind: 'pod'; readonly record: PodConfig }
  | { readonly kind: 'volume'; readonly record: VolumeRecord }
  | { readonly kind: 'network'; readonly record: NetworkDefinition };

/** Each once; the containers of a pod behind it. */
function withMembers(engine: Engine, found: readonly Found[]): readonly Found[] {
  const all = found.flatMap((one): Found[] =>
    one.kind === 'pod' ? [one, ...engine.containers.inPod(one.record.id).map((record) => ({ kind: 'container', record }) as const)] : [one],
  );
  const isInfra = ({ kind, record }: Found): boolean => kind === 'container' && record.config.pod?.isInfra === true;
  const byId = new Map(all.filter((one) => !isInfra(one)).map((one) => [`${one.kind} ${one.record.name}`, one]));
  return [...byId.values()];
}

function describe(engine: Engine, found: Found, beside: Beside): QuadletFile {
  if (found.kind === 'pod') {
    const { infraId } = found.record;
    return podQuadlet(found.record, infraId && engine.containers.get(infraId)?.config, beside);
  }
  if (found.kind === 'container') return containerQuadlet(found.record.config, beside);
  return found.kind === 'volume' ? volumeFile(found.record) : networkFile(found.record);
}

/** In the order in which `inspect` looks. Throws NO_SUCH_OBJECT, AMBIGUOUS_ID. */
async function lookUp(engine: Engine, name: string): Promise<Found> {
  const container = await orAbsent(() => engine.containers.find(name), 'NO_SUCH_CONTAINER');
  if (container !== undefined) return { kind: 'container', record: container };
  const volume = await orAbsent(() => engine.volumes.find(name), 'NO_SUCH_VOLUME');
  if (volume !== undefined) return { kind: 'volume', record: volume };
  const network = await orAbsent(() => findNetwork(engine, name), 'NO_SUCH_NETWORK');
  if (network !== undefined) return { kind: 'network', record: network };
  const pod = await orAbsent(() => podTable(engine).find(name), 'NO_SUCH_POD');
  if (pod !== undefined) return { kind: 'pod', record: pod };
  throw new EngineError('NO_SUCH_OBJECT', `no container, pod, volume or network ${JSON.stringify(name)} found`);
}
