import { expect, test } from 'vitest';
import { digestHex, parseDigest } from '../../core/digest.ts';
import { inspectImage, type ImageView } from '../../libpod/inspect/image.ts';
import { inspectVolume } from '../../libpod/inspect/volume.ts';
import type { ContainerDefaults } from '../../storage/image.ts';
import docker from '../fixtures/inspect/image.docker.json' with { type: 'json' };
import oci from '../fixtures/inspect/image.oci.json' with { type: 'json' };
import plain from '../fixtures/inspect/image.plain.json' with { type: 'json' };
import volumes from '../fixtures/inspect/volume.json' with { type: 'json' };

type Golden = (typeof docker)[0];

/** What lichen would have kept of the image that the golden shows. */
function view(golden: Golden): ImageView {
  const data = golden.GraphDriver.Data as { LowerDir?: string; UpperDir: string; WorkDir: string };
  return {
    id: golden.Id,
    digest: golden.Digest,
    manifestType: golden.ManifestType,
    annotations: golden.Annotations,
    config: {
      created: golden.Created,
      architecture: golden.Architecture,
      os: golden.Os,
      config: { ...(golden.Config as ContainerDefaults), ...(golden.Healthcheck && { Healthcheck: golden.Healthcheck }), OnBuild: [] },
      rootfs: { type: 'layers', diff_ids: golden.RootFS.Layers.map(parseDigest) },
      history: golden.History,
    },
    repoTags: golden.RepoTags,
    repoDigests: golden.RepoDigests,
    parent: golden.Parent,
    sizeBytes: golden.Size,
    driver: 'overlay',
    layers: [data.UpperDir, ...(data.LowerDir?.split(':') ?? [])],
    workDir: data.WorkDir,
    namesHistory: golden.NamesHistory,
  };
}

for (const [name, golden] of Object.entries({ docker: docker[0], oci: oci[0], plain: plain[0] })) {
  test(`inspect of the image "${name}" is Podman's document to the letter`, () => {
    expect(JSON.stringify(inspectImage(view(golden as Golden)), undefined, 5)).toBe(JSON.stringify(golden, undefined, 5));
  });
}

test('an image without anything but layers is shown with empty values', () => {
  const layer = docker[0]!.RootFS.Layers[0]!;
  const shown = inspectImage({
    ...view(plain[0] as unknown as Golden),
    annotations: {},
    namesHistory: [],
    config: { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [parseDigest(layer)] } },
    id: digestHex(parseDigest(layer)),
  });
  expect(shown).toMatchObject({ Config: {}, Labels: null, History: [], NamesHistory: null, Comment: '', Created: '0001-01-01T00:00:00Z' });
});

test("inspect of a volume is Podman's document, but for the lock's number and the precision of the time", () => {
  for (const golden of volumes) {
    const shown = inspectVolume(
      {
        name: golden.Name,
        driver: golden.Driver,
        anonymous: false,
        labels: golden.Labels,
        options: golden.Options,
        createdMs: Date.parse(golden.CreatedAt),
        needsCopyUp: true,
      },
      { mountpoint: golden.Mountpoint, mountCount: 0 },
    );
    const CreatedAt = new Date(golden.CreatedAt).toISOString();
    expect(JSON.stringify(shown)).toBe(JSON.stringify({ ...golden, CreatedAt, LockNumber: 0 }));
  }
});
