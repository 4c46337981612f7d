import { NO_BRIDGES, NO_NAMES } from '../../core/lack.ts';
import { findProgram, HELPER_DIRECTORIES } from '../../host/search.ts';
import { describeHelper } from '../system/programs.ts';
import { degraded, ok, type Probe } from './probe.ts';

/** `network create` and what is in such networks. */
export const bridges: Probe = {
  name: 'bridges',
  run: async ({ settings }) => {
    const find = (name: string): string | undefined => findProgram(name, [...settings.helperDirectories, ...HELPER_DIRECTORIES]);
    const firewall = find('nft') ?? find('iptables');
    const [netavark, aardvark] = await Promise.all([describeHelper(find('netavark')), describeHelper(find('aardvark-dns'))]);
    const facts = { netavark: netavark.path || null, aardvark: aardvark.path || null, firewall: firewall ?? null, ip: find('ip') ?? null };
    if (netavark.version === '') return degraded(NO_BRIDGES, facts);
    if (firewall === undefined)
      return degraded(
        { what: 'neither nft nor iptables is installed', loss: NO_BRIDGES.loss, mend: [{ install: 'nftables iptables' }] },
        facts,
      );
    if (aardvark.version === '') return degraded(NO_NAMES, facts);
    if (find('ip') === undefined) {
      const loss = 'published ports of containers on bridges cannot be used';
      return degraded({ what: 'ip is not installed', loss, mend: [{ install: 'iproute2' }] }, facts);
    }
    return ok(`${netavark.version}, ${aardvark.version}`, facts);
  },
};
