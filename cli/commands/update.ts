import { EngineError, isEngineError } from '../../core/errors.ts';
import { updateContainer } from '../../libpod/container/update.ts';
import { latestContainer } from '../../libpod/container/select.ts';
import { parseEnv } from '../../libpod/spec/parse/env.ts';
import { parseUlimit } from '../../libpod/spec/parse/limits.ts';
import { parseRestartPolicy } from '../../libpod/spec/parse/words.ts';
import type { RestartPolicy } from '../../libpod/spec/wish.ts';
import { callerEnvironment } from '../caller-env.ts';
import { defineCommand } from '../command.ts';
import { updateFace } from '../faces/update.ts';
import { changedHealthWords } from '../wish/health.ts';
import { resourceWish } from '../wish/resources.ts';

export const command = defineCommand(updateFace, async (context, [name = ''], flags) => {
  if (flags.ulimit.includes('host'))
    throw new EngineError('INVALID_ARGUMENT', '--ulimit host can only be chosen when the container is created');
  if (flags['cpu-rt-period'] || flags['cpu-rt-runtime']) {
    throw new EngineError('NOT_SUPPORTED', 'realtime period not supported on cgroupv2', {
      hint: 'Leave out --cpu-rt-period and --cpu-rt-runtime.',
    });
  }
  const caller = callerEnvironment(context.env);
  const request = {
    resources: resourceWish(flags, context.given),
    ...(flags.restart === undefined ? {} : { restart: parseRestart(flags.restart) }),
    env: flags.env.flatMap((text) => parseEnv(text, caller)),
    unsetEnv: flags.unsetenv,
    ulimits: flags.ulimit.map(parseUlimit),
    health: changedHealthWords(flags),
  };
  const engine = await context.openEngine();
  const { id } = flags.latest ? latestContainer(engine) : engine.containers.find(name);
  await updateContainer(engine, id, request);
  context.stdout.line(id);
});

/** The same words as for a new container, without saying that one is made. */
function parseRestart(text: string): RestartPolicy {
  try {
    return parseRestartPolicy(text);
  } catch (error) {
    if (!isEngineError(error, 'INVALID_ARGUMENT')) throw error;
    throw new EngineError(error.code, error.message.replace('running container create option: ', ''), { cause: error });
  }
}
