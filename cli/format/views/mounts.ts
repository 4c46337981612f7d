/** `mount` and `image mount`: which root file systems are mounted where. */
import { shortId } from '../../../core/id.ts';
import type { MountedContainer } from '../../../libpod/container/mount.ts';
import type { MountedImage } from '../../../libpod/image/mount.ts';
import { encodeJson, ONE_SPACE } from '../json.ts';
import { formatTable } from '../table.ts';

export function containerMountsTable(mounted: readonly MountedContainer[], noTrunc: boolean): string {
  return formatTable(mounted.map(({ record: { id }, path }) => [noTrunc ? id : shortId(id), path]));
}

export function containerMountsJson(mounted: readonly MountedContainer[]): string {
  return json(mounted.map(({ record, path }) => ({ id: record.id, Names: [record.name], mountpoint: path })));
}

export function imageMountsTable(mounted: readonly MountedImage[]): string {
  return formatTable(mounted.map(({ image, path }) => [image.names[0] ?? image.id, path]));
}

export function imageMountsJson(mounted: readonly MountedImage[]): string {
  return json(
    mounted.map(({ image, path }) => ({ id: image.id, Names: [image.manifestDigest], Repositories: image.names, mountpoint: path })),
  );
}

function json(documents: readonly object[]): string {
  return `${encodeJson(documents, ONE_SPACE)}\n`;
}
