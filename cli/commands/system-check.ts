import { EngineError } from '../../core/errors.ts';
import { checkStore, isSound } from '../../libpod/system/check.ts';
import { repairStore } from '../../libpod/system/repair.ts';
import { defineCommand } from '../command.ts';
import { systemCheckFace } from '../faces/system-check.ts';
import { formatDamage, formatRepair } from '../format/views/check.ts';
import { copyProgress } from '../progress.ts';

export const command = defineCommand(systemCheckFace, async (context, _args, { force, max, quick, repair }) => {
  const engine = await context.openEngine();
  const report = await checkStore(engine, { quick, maxAgeMs: max });
  if (isSound(report)) return;
  context.stdout.write(formatDamage(report));
  if (!repair && !force) {
    throw new EngineError('STORE_CORRUPT', 'damage detected in local storage', {
      hint: `Mend it with: ${context.program} system check --repair`,
    });
  }
  const onEvent = copyProgress(context, { quiet: false });
  for await (const done of repairStore(engine, report, { quick, force, onEvent })) {
    context.stdout.write(formatRepair(done, context.program));
  }
  if (!isSound(await checkStore(engine, { quick, maxAgeMs: max }))) {
    throw new EngineError('STORE_CORRUPT', 'damage in local storage is still present after attempted repair');
  }
});
