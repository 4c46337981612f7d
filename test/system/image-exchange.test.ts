/** Images between lichen, Debian's registry, skopeo and Podman: whoever handed it on, it is the same image. */
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { builtFixture, type ImageName } from '../fixtures/build/images.ts';
import type { TestHost } from '../host/host.ts';
import { canRunContainers, loadedHost } from '../host/loaded.ts';
import { canRunRegistry, startRegistry, type Registry } from '../host/registry.ts';

const IMAGES = [
  ['busybox', 'localhost/busybox:latest'],
  ['layered', 'localhost/layered:latest'],
  ['configured', 'localhost/configured:v1'],
] as const satisfies readonly (readonly [ImageName, string])[];
/** What lichen writes, in the words of its own command and of skopeo's transports. */
const FORMATS = [
  ['docker-archive', 'docker-archive:'],
  ['oci-archive', 'oci-archive:'],
  ['oci-dir', 'oci:'],
  ['docker-dir', 'dir:'],
] as const;

const canExchange = canRunContainers && canRunRegistry;

describe.skipIf(!canExchange)('images among programs', () => {
  let host: TestHost;
  let registry: Registry;
  let at: string;
  beforeAll(async () => {
    host = await loadedHost(IMAGES.map(([name]) => name));
    registry = await startRegistry(host);
    at = `${host.user.home}/exchange`;
    await host.writeFile(`${host.user.home}/.config/containers/policy.json`, '{"default": [{"type": "insecureAcceptAnything"}]}');
    await host.succeed(['unshare', 'mkdir', at]);
  });
  afterAll(() => host[Symbol.asyncDispose]());

  /** Another program, which must exit with 0. Returns its stdout without the last newline. */
  const other = async (...argv: readonly string[]): Promise<string> => {
    const { stdout, stderr, exitCode } = await host.run(argv);
    if (exitCode !== 0) throw new Error(`${argv.join(' ')}: exit ${exitCode}\n${stdout}\n${stderr}`);
    return stdout.trimEnd();
  };
  const idOf = (name: string) => host.succeed(['image', 'inspect', '--format', '{{.ID}}', name]);
  const diffIdsOf = async (name: string) =>
    JSON.parse(await host.succeed(['image', 'inspect', '--format', '{{json .RootFS.Layers}}', name])) as string[];
  /** Removed first, so that nothing of it is left when it comes back. */
  const comesBack = async (image: ImageName, reference: string, comes: () => Promise<unknown>): Promise<void> => {
    const { config, diffIds } = await builtFixture(image);
    await host.succeed(['rmi', reference]);
    await comes();
    expect(await idOf(reference)).toBe(config.digest.slice('sha256:'.length));
    expect(await diffIdsOf(reference)).toEqual(diffIds);
  };

  describe.skipIf(!existsSync('/usr/bin/skopeo'))('skopeo', () => {
    const skopeo = (...argv: readonly string[]) => other('skopeo', ...argv);

    test.each(IMAGES)('inspects %s in the registry, and copies it to where lichen loads it from', async (image, reference) => {
      const { config, diffIds } = await builtFixture(image);
      const pushed = `docker://${registry.name}/skopeo/${image}:1`;
      await host.succeed(['push', '-q', reference, pushed]);
      const seen = JSON.parse(await skopeo('inspect', '--tls-verify=false', pushed)) as { Digest: string; Layers: string[] };
      expect(seen.Layers).toHaveLength(diffIds.length);
      const raw = JSON.parse(await skopeo('inspect', '--tls-verify=false', '--raw', pushed)) as { config: { digest: string } };
      expect(raw.config.digest).toBe(config.digest);
      expect(await skopeo('inspect', '--tls-verify=false', '--format', '{{.Digest}}', pushed)).toBe(seen.Digest);
      // An OCI archive would be another image: skopeo writes the configuration anew for it.
      await comesBack(image, reference, async () => {
        await skopeo('copy', '--quiet', '--src-tls-verify=false', pushed, `docker-archive:${at}/${image}-out.tar:${reference}`);
        await host.succeed(['load', '-q', '-i', `${at}/${image}-out.tar`]);
      });
    });

    test.each(FORMATS)('takes what is saved as %s, and what it pushes is pulled', async (format, transport) => {
      for (const [image, reference] of IMAGES) {
        const saved = `${at}/${image}-${format}`;
        await host.succeed(['save', '-q', '--format', format, '-o', saved, reference]);
        const to = `${registry.name}/saved/${image}:${format}`;
        await skopeo('copy', '--quiet', '--dest-tls-verify=false', `${transport}${saved}`, `docker://${to}`);
        await comesBack(image, reference, async () => {
          await host.succeed(['pull', '-q', to]);
          await host.succeed(['tag', to, reference]);
          await host.succeed(['untag', to, to]);
        });
      }
    });

    test('takes an image list apart as lichen put it together', async () => {
      const list = `${registry.name}/lists/all:1`;
      await host.succeed([
        'manifest',
        'create',
        'all',
        `docker://${registry.name}/skopeo/busybox:1`,
        `docker://${registry.name}/skopeo/layered:1`,
      ]);
      await host.succeed(['manifest', 'push', '-q', '--all', 'all', `docker://${list}`]);
      await skopeo('copy', '--quiet', '--all', '--src-tls-verify=false', `docker://${list}`, `dir:${at}/list`);
      const index = JSON.parse(await host.readFile(`${at}/list/manifest.json`)) as { manifests: { digest: string }[] };
      expect(index.manifests).toHaveLength(2);
      const shown = JSON.parse(await host.succeed(['manifest', 'inspect', 'all'])) as { manifests: { digest: string }[] };
      expect(index.manifests.map(({ digest }) => digest)).toEqual(shown.manifests.map(({ digest }) => digest));
    });
  });

  describe.skipIf(!existsSync('/usr/bin/podman'))('Podman', () => {
    const podman = (...argv: readonly string[]) => other('podman', '--storage-driver', 'vfs', ...argv);
    afterAll(async () => {
      await podman('system', 'reset', '--force');
      await podman('system', 'migrate'); // Its pause process ends.
    });

    test.each(IMAGES)('gets %s from the registry, saves it as an archive, and lichen loads the same image', async (image, reference) => {
      const { config } = await builtFixture(image);
      const between = `${registry.name}/round/${image}:1`;
      await host.succeed(['push', '-q', reference, between]);
      expect(await podman('pull', '-q', '--tls-verify=false', between)).toBe(config.digest.slice('sha256:'.length));
      await podman('tag', between, reference);
      await podman('save', '-q', '--format', 'docker-archive', '-o', `${at}/${image}-podman.tar`, reference);
      await comesBack(image, reference, () => host.succeed(['load', '-q', '-i', `${at}/${image}-podman.tar`]));
    });

    test.each(FORMATS.slice(0, 2))('loads what lichen saved as %s', async (format) => {
      for (const [image, reference] of IMAGES) {
        const { config } = await builtFixture(image);
        await host.succeed(['save', '-q', '--format', format, '-o', `${at}/${image}-for-podman-${format}`, reference]);
        await podman('rmi', '--all', '--force');
        await podman('load', '-q', '-i', `${at}/${image}-for-podman-${format}`);
        expect(await podman('image', 'inspect', '--format', '{{.Id}}', reference)).toBe(config.digest.slice('sha256:'.length));
      }
    });

    test('pulls what was pushed with zstd, which comes back the same', async () => {
      const { config } = await builtFixture('layered');
      const between = `${registry.name}/round/zstd:1`;
      await host.succeed(['push', '-q', '--format', 'oci', '--compression-format', 'zstd', 'layered', between]);
      expect(await podman('pull', '-q', '--tls-verify=false', between)).toBe(config.digest.slice('sha256:'.length));
      await podman('push', '-q', '--tls-verify=false', between, `${registry.name}/round/again:1`);
      expect(await host.succeed(['pull', '-q', `${registry.name}/round/again:1`])).toBe(config.digest.slice('sha256:'.length));
    });
  });
});
