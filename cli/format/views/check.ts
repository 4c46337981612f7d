/** `system check`: each damaged object, what is wrong with it, and what became of it. */
import { digestHex } from '../../../core/digest.ts';
import { imageProblems, type CheckReport } from '../../../libpod/system/check.ts';
import type { Repair } from '../../../libpod/system/repair.ts';

export function formatDamage({ database, layers, strayLayers, images, containers, volumes, artifacts }: CheckReport): string {
  return [
    ...(database.length > 0 ? [section('Damaged database', database)] : []),
    ...[...layers].map(([layer, problems]) => section(`Damaged layer ${digestHex(layer)}`, problems)),
    ...strayLayers.map((layer) => section(`Damaged layer ${digestHex(layer)}`, ['it is not referenced by any image or container'])),
    ...[...images].map(([id, damage]) => section(`Damaged image ${id}`, imageProblems(damage))),
    ...[...containers].map(([id, problems]) => section(`Damaged container ${id}`, problems)),
    ...[...volumes].map(([name, problems]) => section(`Damaged volume ${name}`, problems)),
    ...[...artifacts].map(([name, problems]) => section(`Damaged artifact ${name}`, problems)),
  ].join('');
}

export function formatRepair(repair: Repair, program: string): string {
  if (repair.kind === 'deleted') return `Deleted damaged ${repair.what}: ${repair.id}\n`;
  const shown = repair.name === undefined ? repair.image : `${repair.image} (${repair.name})`;
  if (repair.kind === 'mended') return `Mended image ${shown} from ${repair.from}\n`;
  const removal = `${program} rmi ${repair.image}`;
  const users = repair.containers.join(' ');
  const first = users === '' ? removal : `${program} rm ${users} && ${removal}`;
  return `Image ${shown} cannot be mended: ${repair.why}\nTo remove just this image${users === '' ? '' : ' and its containers'}: ${first}\n`;
}

/** In the words of the list of errors that Podman prints. */
function section(heading: string, problems: readonly string[]): string {
  const count = problems.length === 1 ? '1 error occurred' : `${problems.length} errors occurred`;
  return `${heading}:\n${count}:\n${problems.map((problem) => `\t* ${problem}\n`).join('')}\n`;
}
