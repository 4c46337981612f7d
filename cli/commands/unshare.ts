import { EngineError } from '../../core/errors.ts';
import { enteredAs } from '../../host/identity.ts';
import { launch } from '../../host/process.ts';
import { findProgram } from '../../host/search.ts';
import type { Engine } from '../../libpod/engine.ts';
import type { Visit } from '../../libpod/network/visit.ts';
import { callerEnvironment } from '../caller-env.ts';
import { defineCommand } from '../command.ts';
import { unshareFace } from '../faces/unshare.ts';
import { proxySignals } from '../streams.ts';

export const command = defineCommand(unshareFace, async (context, words, flags) => {
  const engine = await context.openEngine();
  if (!engine.identity.rootless) throw new EngineError('NOT_SUPPORTED', 'please use unshare with rootless');
  const env = callerEnvironment(context.env);
  const shell = env['SHELL'];
  const [program, ...args] = words.length === 0 && shell ? [shell] : words;
  if (program === undefined) throw new EngineError('INVALID_ARGUMENT', 'no command specified and no $SHELL specified');
  const path = find(program, env);
  await using visit = flags['rootless-netns'] ? await visitOf(engine) : undefined;
  const [first, ...rest] = visit?.enter([path, ...args]) ?? [path, ...args];
  const child = await launch(first, rest, {
    stdio: ['inherit', 'inherit', 'inherit'],
    env: {
      ...env,
      // A lichen started in there is inside already, and is still ours.
      ...enteredAs(engine.identity),
      CONTAINERS_GRAPHROOT: engine.paths.store,
      CONTAINERS_RUNROOT: engine.paths.run,
      _CONTAINERS_USERNS_CONFIGURED: 'done',
      _CONTAINERS_ROOTLESS_UID: String(engine.identity.uid),
      _CONTAINERS_ROOTLESS_GID: String(engine.identity.gid),
    },
  });
  using _signals = proxySignals((signal) => child.kill(signal));
  return (await child.exited).code;
});

async function visitOf(engine: Engine): Promise<Visit> {
  return (await import('../../libpod/network/visit.ts')).visitBridges(engine);
}

function find(program: string, env: NodeJS.ProcessEnv): string {
  const path = findProgram(program, [], env['PATH']);
  if (path !== undefined) return path;
  const why = program.includes('/')
    ? `fork/exec ${program}: no such file or directory`
    : `exec: ${JSON.stringify(program)}: executable file not found in $PATH`;
  throw new EngineError('COMMAND_NOT_FOUND', why);
}
