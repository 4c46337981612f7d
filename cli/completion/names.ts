/** Names of objects in the store, for completion. */
import { signalName } from '../../core/signal.ts';
import type { Engine } from '../../libpod/engine.ts';
import { ALL_CAPABILITIES } from '../../libpod/spec/capabilities.ts';
import type { CandidateKind } from '../flag.ts';

const LAST_PLAIN_SIGNAL = 31;

/** `openEngine` is called only where the names are in the store. */
export async function objectNames(kind: CandidateKind, openEngine: () => Promise<Engine>): Promise<readonly string[]> {
  switch (kind) {
    case 'container':
      return (await openEngine()).containers.list().map(({ name }) => name);
    case 'running-container':
      return (await openEngine()).containers.withStatus('running', 'paused').map(({ name }) => name);
    case 'image':
      return imageNames(await openEngine());
    case 'artifact':
      return (await openEngine()).artifacts.list().map(({ name }) => name);
    case 'volume':
      return (await openEngine()).volumes.list().map(({ name }) => name);
    case 'pod': {
      const { podTable } = await import('../../libpod/pod/rows.ts');
      return podTable(await openEngine())
        .list()
        .map(({ name }) => name);
    }
    case 'secret':
      return (await openEngine()).secrets.list().map(({ name }) => name);
    case 'quadlet': {
      const [{ quadletNames }, { quadletPlace }] = await Promise.all([
        import('../../libpod/quadlet/installed.ts'),
        import('../quadlet/place.ts'),
      ]);
      return quadletNames(quadletPlace(process));
    }
    case 'container-or-image': {
      const engine = await openEngine();
      return [...engine.containers.list().map(({ name }) => name), ...imageNames(engine)];
    }
    case 'network': {
      const { listNetworks } = await import('../../libpod/network/store.ts');
      return [...listNetworks(await openEngine()).map(({ name }) => name), 'bridge', 'host', 'none', 'pasta', 'private', 'slirp4netns'];
    }
    case 'signal':
      return Array.from({ length: LAST_PLAIN_SIGNAL }, (_, index) => signalName(index + 1));
    case 'capability':
      return ['ALL', ...ALL_CAPABILITIES];
    default:
      return [];
  }
}

/** With and without what a short name leaves out. */
function imageNames(engine: Engine): string[] {
  return engine.images.allNames().flatMap(({ name }) => [name, name.replace(/^(docker\.io\/library|docker\.io|localhost)\//, '')]);
}
