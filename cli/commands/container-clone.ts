import { EngineError } from '../../core/errors.ts';
import { log } from '../../core/log.ts';
import { cloneContainer } from '../../libpod/container/clone.ts';
import { removeContainer } from '../../libpod/container/remove.ts';
import { startContainer } from '../../libpod/container/start.ts';
import { findImage } from '../../libpod/image/find.ts';
import { checkName } from '../../libpod/spec/conflicts.ts';
import { LIVE, shownStatus } from '../../libpod/state/containers.ts';
import { defineCommand } from '../command.ts';
import { warnOfRealtime } from '../creation.ts';
import { containerCloneFace } from '../faces/container-clone.ts';
import { awaitReady } from '../ready.ts';
import { resourceWish } from '../wish/resources.ts';

export const command = defineCommand(containerCloneFace, async (context, [original = '', nameArgument, imageArgument], flags) => {
  if (flags.force && !flags.destroy) throw new EngineError('INVALID_ARGUMENT', 'cannot set --force without --destroy: invalid argument');
  warnOfRealtime(context, flags);
  const resources = resourceWish(flags, context.given);
  const engine = await context.openEngine();
  const record = engine.containers.find(original);
  if (flags.destroy && !flags.force && LIVE.includes(record.status)) {
    throw new EngineError(
      'WRONG_STATE',
      `cannot remove container ${record.id} as it is ${shownStatus(record.status)} - running or paused containers cannot be removed without force: container state improper`,
      { hint: 'Nothing was made. Stop it first, or use --force.' },
    );
  }
  const name = nameArgument ?? flags.name;
  if (name !== undefined) checkName(name);
  const image = imageArgument === undefined ? undefined : await findImage(engine, imageArgument);
  const pod = flags.pod || undefined;
  const clone = cloneContainer(engine, record, { name, image, resources, pod });
  if (pod !== undefined && record.config.pod === undefined && 'container' in clone.config.network.mode)
    log.warn('At least one namespace was reset to the default configuration');
  if (flags.destroy) await removeContainer(engine, record.id, { force: flags.force, volumes: false });
  if (flags.run) {
    const { runCount } = await startContainer(engine, clone.id);
    await awaitReady(engine, clone, runCount);
  }
  context.stdout.line(clone.id);
});
