import { kernelRelease } from '../../host/boot.ts';
import { degraded, ok, type Probe } from './probe.ts';

/** overlayfs can be mounted by an ordinary user from here on. */
const NEEDED = [5, 11] as const;

export const kernel: Probe = {
  name: 'kernel',
  run: () => {
    const release = kernelRelease();
    const [major = 0, minor = 0] = release.split('.').map((part) => Number.parseInt(part, 10));
    const facts = { release, architecture: process.arch };
    if (major > NEEDED[0] || (major === NEEDED[0] && minor >= NEEDED[1])) return ok(`Linux ${release}`, facts);
    return degraded(
      {
        what: `Linux ${release} is older than ${NEEDED.join('.')}`,
        loss: 'images need fuse-overlayfs, or full copies',
        mend: [{ install: 'fuse-overlayfs' }, { advice: 'a newer kernel' }],
      },
      facts,
    );
  },
};
