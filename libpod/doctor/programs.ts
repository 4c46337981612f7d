/** Programs of the system that nothing takes the place of. */
import { findProgram } from '../../host/search.ts';
import { missing, ok, type Probe } from './probe.ts';

const NEEDED = ['unshare', 'nsenter', 'mount', 'flock'] as const;

export const utilLinux: Probe = {
  name: 'util-linux',
  run: () => {
    const absent = NEEDED.filter((name) => findProgram(name) === undefined);
    const facts = Object.fromEntries(NEEDED.map((name) => [name, findProgram(name) ?? null]));
    if (absent.length === 0) return ok(`${NEEDED.join(', ')} are installed`, facts);
    const what = `${absent.join(', ')} ${absent.length === 1 ? 'is' : 'are'} not installed`;
    return missing({ what, loss: 'containers cannot be started', mend: [{ install: 'util-linux' }] }, facts);
  },
};
