import { EngineError } from '../../core/errors.ts';
import { digestHex } from '../../core/digest.ts';
import { addArtifact } from '../../libpod/artifact/add.ts';
import { defineCommand } from '../command.ts';
import { artifactAddFace } from '../faces/artifact-add.ts';
import { interruptible } from '../interruption.ts';

export const command = defineCommand(artifactAddFace, async (context, [name, ...paths], flags) => {
  const { append, replace, type } = flags;
  if (append && replace) throw new EngineError('INVALID_ARGUMENT', '--append and --replace options cannot be used together');
  if (append && type) throw new EngineError('INVALID_ARGUMENT', 'append option is not compatible with type option');
  const options = { append, replace, type, fileType: flags['file-type'], annotations: annotations(flags.annotation) };
  const engine = await context.openEngine();
  const digest = await interruptible((signal) => addArtifact(engine, name!, paths, { ...options, signal }));
  context.stdout.line(digestHex(digest));
});

function annotations(texts: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    texts.map((text): [string, string] => {
      const equals = text.indexOf('=');
      if (equals < 0) throw new EngineError('INVALID_ARGUMENT', `no value given for annotation ${JSON.stringify(text)}`);
      return [text.slice(0, equals), text.slice(equals + 1)];
    }),
  );
}
