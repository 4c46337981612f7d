import type { DeviceWish } from '../wish.ts';
import { invalid } from './go.ts';

/** `vendor.com/class=name`: a device of the Container Device Interface (CDI, SPEC.md#kind and #devices). */
export function isQualifiedDevice(text: string): boolean {
  return /^[A-Za-z](?:[\w.-]*[A-Za-z\d])?\/[A-Za-z](?:[\w-]*[A-Za-z\d])?=[A-Za-z\d](?:[\w.:-]*[A-Za-z\d])?$/.test(text);
}

/** `hostPath[:containerPath][:rwm]`. Throws INVALID_ARGUMENT. */
export function parseDevice(text: string): DeviceWish {
  const [hostPath, second, third, ...surplus] = text.split(':');
  if (hostPath === '' || surplus.length > 0) throw invalid(`invalid device specification: ${text}`);
  const isMode = second !== undefined && third === undefined && !second.startsWith('/');
  const access = (isMode ? second : third) ?? 'rwm';
  if (!/^[rwm]{1,3}$/.test(access) || new Set(access).size !== access.length) {
    throw invalid(`invalid device mode ${JSON.stringify(access)} in device ${JSON.stringify(text)}`);
  }
  return { hostPath: hostPath!, containerPath: isMode || second === undefined || second === '' ? hostPath! : second, access };
}
