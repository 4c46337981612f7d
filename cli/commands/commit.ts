import { readFileSync, writeFileSync } from 'node:fs';
import { EngineError } from '../../core/errors.ts';
import { parseJson } from '../../core/json.ts';
import { systemWords } from '../../core/system-words.ts';
import { commitContainer } from '../../libpod/container/commit.ts';
import type { ContainerDefaults } from '../../storage/image.ts';
import { defineCommand } from '../command.ts';
import { commitFace } from '../faces/commit.ts';
import { copyProgress } from '../progress.ts';

export const command = defineCommand(commitFace, async (context, [container = '', reference], flags) => {
  const { format } = flags;
  if (format !== 'oci' && format !== 'docker')
    throw new EngineError('INVALID_ARGUMENT', `unrecognized image format ${JSON.stringify(format)}`);
  if (format === 'oci' && flags.message !== undefined && flags.message !== '')
    throw new EngineError('INVALID_ARGUMENT', 'messages are only compatible with the docker image format (-f docker)');
  const config = flags.config === undefined ? undefined : readConfig(flags.config);
  const engine = await context.openEngine();
  const id = await commitContainer(engine, engine.containers.find(container).id, {
    reference,
    author: flags.author,
    message: flags.message,
    format,
    changes: flags.change,
    config,
    pause: flags.pause,
    includeVolumes: flags['include-volumes'],
    squash: flags.squash,
    onEvent: copyProgress(context, flags),
  });
  if (flags.iidfile !== undefined) writeFileSync(flags.iidfile, id);
  context.stdout.line(id);
});

/** Docker's container configuration. Throws INVALID_ARGUMENT. */
function readConfig(path: string): ContainerDefaults {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new EngineError('INVALID_ARGUMENT', `--config: open ${path}: ${systemWords(cause)}`, { cause });
  }
  return parseJson(text, `--config ${path}`, 'INVALID_ARGUMENT') as ContainerDefaults;
}
