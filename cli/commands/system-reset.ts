import { resetStore } from '../../libpod/system/reset.ts';
import { defineCommand } from '../command.ts';
import { confirm } from '../confirm.ts';
import { systemResetFace } from '../faces/system-reset.ts';

export const command = defineCommand(systemResetFace, async (context, _args, { force }) => {
  const engine = await context.openEngine();
  const { store, run } = engine.paths;
  const lines = [
    'WARNING! This will remove:',
    ...['containers', 'pods', 'images', 'networks', 'build cache', 'machines', 'volumes'].map((what) => `        - all ${what}`),
    `        - the graphRoot directory: ${JSON.stringify(store)}`,
    `        - the runRoot directory: ${JSON.stringify(run)}`,
  ];
  if (!force && !confirm(context, lines.join('\n'))) return;
  await resetStore(engine);
});
