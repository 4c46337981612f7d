/** What bridges need: netavark, and a firewall's program that it calls. */
import { existsSync } from 'node:fs';
import { findPrograms } from '../../network/bridge/netavark.ts';

/** For `describe.skipIf(!canBridge)`. */
export const canBridge = hasNetavark();

function hasNetavark(): boolean {
  try {
    findPrograms([]);
    return ['/usr/sbin/nft', '/usr/sbin/iptables'].some((path) => existsSync(path));
  } catch {
    return false;
  }
}
