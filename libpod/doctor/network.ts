/** Network namespaces, and the helpers that connect them: each is run for real, inside the session's namespaces. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { NO_NETWORK_HELPER, type Lack, TUN } from '../../core/lack.ts';
import { createNetworkNamespace, removeNetworkNamespace } from '../../host/namespaces.ts';
import { findProgram } from '../../host/search.ts';
import { openBackend, tunLack } from '../../network/choose.ts';
import { removeTree } from '../../storage/tree/remove.ts';
import { degraded, type Finding, lackOf, missing, ok, type Patient, type Probe } from './probe.ts';
import { nearestExisting, temporaryDirectory } from './try-writing.ts';

export const tun: Probe = {
  name: 'tun',
  run: () => {
    const lack = tunLack();
    return lack === undefined ? ok(`${TUN} can be opened`) : degraded(lack);
  },
};

export const networkNamespace: Probe = {
  name: 'network-namespace',
  run: async (patient) => {
    try {
      await withDirectory(patient, async (directory) => {
        const path = join(directory, 'netns');
        await createNetworkNamespace(path);
        removeNetworkNamespace(path);
      });
      return ok('network namespaces can be made and kept');
    } catch (error) {
      return missing(lackOf(error, 'only containers with --network host can be started'));
    }
  },
};

type HelperName = 'pasta' | 'slirp4netns';

export const pasta: Probe = {
  name: 'pasta',
  run: (patient) => {
    const other = installed('slirp4netns', patient);
    return helper('pasta', patient, {
      what: other === undefined ? NO_NETWORK_HELPER.what : 'pasta is not installed',
      loss:
        other === undefined ? NO_NETWORK_HELPER.loss : 'slirp4netns takes its place, which is slower and hides the addresses of clients',
      mend: [{ install: 'passt' }],
    });
  },
};

export const slirp4netns: Probe = {
  name: 'slirp4netns',
  run: (patient) => {
    const other = installed('pasta', patient);
    return helper('slirp4netns', patient, {
      what: other === undefined ? NO_NETWORK_HELPER.what : 'slirp4netns is not installed',
      loss: other === undefined ? NO_NETWORK_HELPER.loss : '--network slirp4netns cannot be used',
      mend: [{ install: 'slirp4netns' }],
    });
  },
};

async function helper(name: HelperName, patient: Patient, absent: Lack): Promise<Finding> {
  const path = installed(name, patient);
  if (path === undefined) return degraded(absent, { path: null });
  if (tunLack() !== undefined) return degraded({ ...tunLack()!, what: `${name} needs ${TUN}: ${tunLack()!.what}` }, { path });
  try {
    const attachment = await withDirectory(patient, async (directory) => {
      const backend = await openBackend(name, machine(patient, directory));
      const netns = join(directory, 'netns');
      try {
        const made = await backend.setup({ netns, id: 'doctor', runDir: directory, ports: [], options: [] });
        await backend.teardown(made);
        return made;
      } finally {
        removeNetworkNamespace(netns);
      }
    });
    const addresses = attachment.interfaces.flatMap((each) => each.addresses);
    return ok(`${path} connects a namespace (${addresses.join(', ')})`, { path, addresses });
  } catch (error) {
    return degraded(lackOf(error, absent.loss), { path });
  }
}

function installed(name: HelperName, { settings }: Patient): string | undefined {
  return findProgram(name, settings.helperDirectories);
}

function machine({ settings, identity }: Patient, cacheDirectory: string): Parameters<typeof openBackend>[1] {
  return { helperDirectories: settings.helperDirectories, cacheDirectory, rootful: !identity.rootless };
}

async function withDirectory<T>({ paths }: Patient, work: (directory: string) => Promise<T>): Promise<T> {
  using place = temporaryDirectory(nearestExisting(paths.run));
  const directory = join(place.path, 'network');
  mkdirSync(directory, { mode: 0o700 });
  try {
    return await work(directory);
  } finally {
    removeTree(directory);
  }
}
