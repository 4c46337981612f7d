import { EngineError } from '../../core/errors.ts';
import { humanSize } from '../../core/size.ts';
import { pruneSystem } from '../../libpod/system/prune.ts';
import { defineCommand } from '../command.ts';
import { confirm } from '../confirm.ts';
import { throwFailures } from '../failures.ts';
import { systemPruneFace } from '../faces/system-prune.ts';

export const command = defineCommand(systemPruneFace, async (context, _args, flags) => {
  if (flags.external) {
    if (!flags.all && !flags.volumes && flags.filter.length === 0) return;
    throw new EngineError('INVALID_ARGUMENT', 'system prune --external cannot be combined with other options');
  }
  if (!flags.force && !confirm(context, warning(flags))) return;
  const pruned = await pruneSystem(await context.openEngine(), { all: flags.all, volumes: flags.volumes, filters: flags.filter });
  if (flags.all || flags.build) (await import('../../libpod/build/caches.ts')).pruneCaches(await context.openEngine());
  const { pods, containers, networks, volumes, images } = pruned;
  const sections = { Pods: pods, Containers: containers, Networks: networks, Volumes: volumes, Images: images };
  for (const [heading, names] of Object.entries(sections)) {
    if (names.length > 0) context.stdout.write([`Deleted ${heading}`, ...names, ''].join('\n'));
  }
  context.stdout.line(`Total reclaimed space: ${humanSize(pruned.reclaimedBytes, 4)}`);
  throwFailures(pruned.failures, []);
});

function warning({ all, volumes }: { readonly all: boolean; readonly volumes: boolean }): string {
  const items = [
    'all stopped containers',
    'all networks not used by at least one container',
    ...(volumes ? ['all volumes not used by at least one container'] : []),
    all ? 'all images without at least one container associated with them' : 'all dangling images',
    all ? 'all build cache' : 'all dangling build cache',
  ];
  return `WARNING! This command removes:\n${items.map((item) => `\t- ${item}\n`).join('')}`;
}
