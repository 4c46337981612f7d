import { EngineError, isEngineError } from '../../core/errors.ts';
import { removeContainer } from '../../libpod/container/remove.ts';
import type { Selected } from '../../libpod/container/select.ts';
import type { Engine } from '../../libpod/engine.ts';
import { type CommandContext, defineCommand } from '../command.ts';
import { forEachAtOnce, forEachName } from '../each.ts';
import { throwLast } from '../failures.ts';
import { rmFace } from '../faces/rm.ts';
import type { FlagValues } from '../flag.ts';
import { selectByFlags } from '../selection.ts';

type RmFlags = FlagValues<typeof rmFace.flags>;

export const command = defineCommand(rmFace, async (context, names, flags) => {
  if (flags.time !== undefined && !flags.force) {
    throw new EngineError('INVALID_ARGUMENT', '--force option must be specified to use the --time option');
  }
  const engine = await context.openEngine();
  const selected = select(engine, names, flags);
  const remove = async ({ record, shown }: Selected): Promise<string> => {
    if (record.config.pod?.isInfra === true && (flags.all || flags.depend)) {
      await removeWholePod(context, engine, record, flags);
      return shown;
    }
    await removeContainer(engine, record.id, {
      force: flags.force,
      volumes: flags.volumes,
      timeoutSeconds: flags.time,
      depend: flags.depend,
    }).catch((error: unknown) => {
      // Another one of the selection may have taken it along.
      if (!isEngineError(error, 'NO_SUCH_CONTAINER')) throw error;
    });
    return shown;
  };
  const needed = selected.filter(({ record }) => engine.containers.dependants(record.id).length > 0);
  await forEachAtOnce(
    context,
    selected.filter((one) => !needed.includes(one)),
    remove,
  );
  // A dependant is always newer than what it depends on.
  await forEachName(
    context,
    needed.toSorted((a, b) => b.record.createdMs - a.record.createdMs),
    remove,
  );
});

/** An infra container takes its pod along, as Podman has it. */
async function removeWholePod(context: CommandContext, engine: Engine, record: Selected['record'], flags: RmFlags): Promise<void> {
  const [{ removePod }, { podOf }] = await Promise.all([import('../../libpod/pod/remove.ts'), import('../../libpod/pod/rows.ts')]);
  const pod = podOf(engine, record);
  if (pod !== undefined) throwLast(context.stderr, await removePod(engine, pod, { force: flags.force, timeoutSeconds: flags.time }));
}

function select(engine: Engine, names: readonly string[], flags: RmFlags): Selected[] {
  try {
    return selectByFlags(engine, names, flags, { ignoreMissing: flags.ignore || flags.force, ignoreMissingFiles: flags.ignore });
  } catch (error) {
    if (!isEngineError(error, 'NO_SUCH_CONTAINER')) throw error;
    throw new EngineError(error.code, error.message.replace('with name or ID', 'with ID or name'), { cause: error });
  }
}
