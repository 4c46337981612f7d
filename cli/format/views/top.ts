/** `top` and `port`: tables whose columns are data. */
import { shortId } from '../../../core/id.ts';
import type { PortMapping } from '../../../network/backend.ts';
import { listPorts } from '../ports.ts';
import { formatTable } from '../table.ts';

/** Header row and processes. Ends with a newline. */
export function formatTop(header: readonly string[], processes: readonly (readonly string[])[]): string {
  return formatTable([header, ...processes]);
}

/** `port CONTAINER`; with `id` the lines of `port --all`. */
export function formatPortLines(mappings: readonly PortMapping[], id?: string): string {
  const prefix = id === undefined ? '' : `${shortId(id)}\t`;
  return listPorts(mappings)
    .map(({ container, host }) => `${prefix}${container} -> ${host}\n`)
    .join('');
}
