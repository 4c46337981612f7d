/** Which storage driver works where the store is: tried inside the session's namespaces. */
import { closeSync, openSync } from 'node:fs';
import { NO_FUSE_OVERLAY } from '../../core/lack.ts';
import { findProgram } from '../../host/search.ts';
import type { Driver } from '../../storage/driver/driver.ts';
import { FuseOverlayDriver } from '../../storage/driver/fuse.ts';
import { OverlayDriver } from '../../storage/driver/overlay.ts';
import { tryDriver } from '../../storage/driver/probe.ts';
import { removeTree } from '../../storage/tree/remove.ts';
import { degraded, lackOf, ok, type Probe } from './probe.ts';
import { nearestExisting, temporaryDirectory } from './try-writing.ts';

export const overlay: Probe = {
  name: 'overlay',
  run: async ({ paths }) => {
    const refusal = await tried(new OverlayDriver(), paths.store);
    const place = nearestExisting(paths.store);
    const facts = { path: place, refusal: refusal ?? null };
    if (refusal === undefined) return ok(`overlayfs works in ${place}`, facts);
    return degraded(
      {
        what: `overlayfs does not work in ${place}: ${refusal}`,
        loss: 'containers need fuse-overlayfs, or get a full copy of their image',
        mend: [{ advice: 'put the store on ext4, xfs, btrfs or tmpfs with --root or LICHEN_ROOT' }],
      },
      facts,
    );
  },
};

export const fuse: Probe = {
  name: 'fuse',
  run: async ({ paths }) => {
    const { loss } = NO_FUSE_OVERLAY;
    const program = findProgram('fuse-overlayfs');
    const device = deviceError();
    const facts = { path: program ?? null, device: device ?? 'ok' };
    if (device === 'ENOENT') return degraded({ what: '/dev/fuse is missing', loss, mend: [{ asRoot: 'modprobe fuse' }] }, facts);
    if (device !== undefined)
      return degraded({ what: `/dev/fuse may not be opened (${device})`, loss, mend: [{ asRoot: 'chmod 666 /dev/fuse' }] }, facts);
    if (program === undefined) return degraded(NO_FUSE_OVERLAY, facts);
    const refusal = await tried(new FuseOverlayDriver(program), paths.store);
    return refusal === undefined ? ok(`${program} works`, facts) : degraded({ what: `${program}: ${refusal}`, loss, mend: [] }, facts);
  },
};

async function tried(driver: Driver, store: string): Promise<string | undefined> {
  try {
    using place = temporaryDirectory(nearestExisting(store));
    try {
      return await tryDriver(driver, place.path);
    } finally {
      removeTree(`${place.path}/tmp`);
    }
  } catch (error) {
    return lackOf(error, '').what;
  }
}

function deviceError(): string | undefined {
  try {
    closeSync(openSync('/dev/fuse', 'r+'));
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unknown';
  }
}
