import { EngineError } from '../../core/errors.ts';
import { SAVE_FORMATS, saveImages, type SaveFormat } from '../../libpod/image/save.ts';
import { defineCommand } from '../command.ts';
import { saveFace } from '../faces/save.ts';
import { interruptible } from '../interruption.ts';
import { archiveOutput } from '../output.ts';
import { copyProgress } from '../progress.ts';

export const command = defineCommand(saveFace, async (context, [image, ...rest], flags) => {
  const format = parseFormat(flags.format);
  if (flags.compress && format !== 'docker-dir') {
    throw new EngineError('INVALID_ARGUMENT', "--compress can only be set when --format is 'docker-dir'");
  }
  const output = archiveOutput(context, flags.output, 'refusing to save to terminal. Use -o flag or redirect');
  const several = flags['multi-image-archive'];
  const engine = await context.openEngine();
  await interruptible((signal) =>
    saveImages(engine, {
      format,
      images: several ? [image!, ...rest] : [image!],
      tags: several ? [] : rest,
      output,
      compress: flags.compress,
      uncompressed: flags.uncompressed,
      // Nothing is said beside an archive that goes to stdout.
      onEvent: copyProgress(context, { quiet: flags.quiet || typeof output !== 'string' }),
      signal,
    }),
  );
});

function parseFormat(text: string): SaveFormat {
  const format = SAVE_FORMATS.find((name) => name === text);
  if (format === undefined) throw new EngineError('INVALID_ARGUMENT', `format value must be one of ${SAVE_FORMATS.join(' ')}`);
  return format;
}
