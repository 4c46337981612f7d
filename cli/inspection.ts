/** What `inspect` and `container inspect` share: look names up, print what was found, then say what was not. */
import { EngineError, isEngineError, orAbsent } from '../core/errors.ts';
import { plainText } from '../core/plain.ts';
import { inspectedContainer } from '../libpod/container/inspect.ts';
import { latestContainer } from '../libpod/container/select.ts';
import type { Engine } from '../libpod/engine.ts';
import type { ContainerRecord } from '../libpod/state/containers.ts';
import type { CommandContext } from './command.ts';
import { formatInspect, type InspectKind } from './format/views/inspect.ts';

export type InspectType = InspectKind | 'all';

export interface InspectRequest {
  readonly names: readonly string[];
  readonly type: InspectType;
  readonly format: string;
  readonly size: boolean;
  readonly latest: boolean;
}

interface Inspected {
  readonly kind: InspectKind;
  readonly document: object;
}

/** What is not there is said when all is printed: the first is thrown, the others come before it. Any other error ends it at once. */
export async function printInspected(context: CommandContext, request: InspectRequest): Promise<void> {
  const engine = await context.openEngine();
  const found: Inspected[] = [];
  const failures: EngineError[] = [];
  if (request.latest) found.push(await container(engine, latestContainer(engine), request));
  for (const name of request.names) {
    const one = await lookUp(engine, name, request);
    if (one) found.push(one);
    else failures.push(missing(request.type, name));
  }
  context.stdout.write(await formatInspect(found, request.format));
  for (const { message } of failures.slice(1)) context.stderr.line(plainText(message));
  if (failures[0]) throw failures[0];
}

/** The kinds in the order in which a name is looked for. */
const ORDER: readonly InspectKind[] = ['container', 'image', 'volume', 'network', 'pod', 'artifact'];

async function lookUp(engine: Engine, name: string, request: InspectRequest): Promise<Inspected | undefined> {
  if (name === '') throw new EngineError('INVALID_ARGUMENT', 'name or ID cannot be empty');
  const kinds = request.type === 'all' ? ORDER : [request.type];
  let ambiguous: unknown;
  for (const kind of kinds) {
    try {
      const found = await FINDERS[kind](engine, name, request);
      if (found) return found;
    } catch (error) {
      // A short id of one kind may be the name of another.
      if (request.type !== 'all' || !isEngineError(error, 'AMBIGUOUS_ID')) throw error;
      ambiguous ??= error;
    }
  }
  if (ambiguous !== undefined) throw ambiguous;
  return undefined;
}

type Finder = (engine: Engine, name: string, request: InspectRequest) => Promise<Inspected | undefined>;

const FINDERS: Readonly<Record<InspectKind, Finder>> = {
  container: async (engine, name, request) => {
    const record = await orAbsent(() => engine.containers.find(name), 'NO_SUCH_CONTAINER');
    return record && container(engine, record, request);
  },
  image: async (engine, name) => {
    const { lookUpImage } = await import('../libpod/image/find.ts');
    const found = await lookUpImage(engine, name);
    if (!found) return undefined;
    const { inspectedImage } = await import('../libpod/image/inspect.ts');
    return { kind: 'image', document: await inspectedImage(engine, found.image) };
  },
  volume: async (engine, name) => {
    const volume = await orAbsent(() => engine.volumes.find(name), 'NO_SUCH_VOLUME');
    if (!volume) return undefined;
    const { inspectVolume } = await import('../libpod/inspect/volume.ts');
    const { summariseVolume } = await import('../libpod/volume/list.ts');
    return { kind: 'volume', document: inspectVolume(volume, summariseVolume(engine, volume)) };
  },
  network: async (engine, name) => {
    const { findNetwork } = await import('../libpod/network/store.ts');
    const network = await orAbsent(() => findNetwork(engine, name), 'NO_SUCH_NETWORK');
    if (!network) return undefined;
    const { inspectedNetwork } = await import('../libpod/inspect/network.ts');
    return { kind: 'network', document: inspectedNetwork(network, engine.containers.list()) };
  },
  pod: async (engine, name) => {
    const { podTable } = await import('../libpod/pod/rows.ts');
    const pod = await orAbsent(() => podTable(engine).find(name), 'NO_SUCH_POD');
    if (!pod) return undefined;
    const { inspectedPod } = await import('../libpod/pod/inspect.ts');
    return { kind: 'pod', document: await inspectedPod(engine, pod) };
  },
  artifact: async (engine, name) => {
    const { inspectedArtifact } = await import('../libpod/artifact/inspect.ts');
    const document = await orAbsent(() => inspectedArtifact(engine, name), 'NO_SUCH_ARTIFACT');
    return document && { kind: 'artifact', document };
  },
};

async function container(engine: Engine, record: ContainerRecord, { size }: InspectRequest): Promise<Inspected> {
  return { kind: 'container', document: await inspectedContainer(engine, record, { size }) };
}

function missing(type: InspectType, name: string): EngineError {
  switch (type) {
    case 'all':
      return new EngineError('NO_SUCH_OBJECT', `no such object: ${JSON.stringify(name)}`);
    case 'container':
      return new EngineError('NO_SUCH_CONTAINER', `no such container ${JSON.stringify(name)}`);
    case 'image':
      return new EngineError('NO_SUCH_IMAGE', `${name}: image not known`);
    case 'volume':
      return new EngineError('NO_SUCH_VOLUME', `no such volume ${name}`);
    case 'network':
      return new EngineError('NO_SUCH_NETWORK', `network ${name}: unable to find network with name or ID ${name}: network not found`);
    case 'artifact':
      return new EngineError('NO_SUCH_ARTIFACT', `${name}: artifact does not exist`);
    case 'pod':
      return new EngineError('NO_SUCH_POD', `no such pod ${name}`);
  }
}
