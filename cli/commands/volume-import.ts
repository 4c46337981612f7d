import { EngineError } from '../../core/errors.ts';
import { systemWords } from '../../core/system-words.ts';
import { importVolume, openArchive } from '../../libpod/volume/transfer.ts';
import { defineCommand } from '../command.ts';
import { volumeImportFace } from '../faces/volume-import.ts';

export const command = defineCommand(volumeImportFace, async (context, [name = '', source = '']) => {
  const engine = await context.openEngine();
  const archive = source === '-' ? process.stdin : await open(source);
  await importVolume(engine, engine.volumes.find(name), archive);
});

async function open(path: string) {
  try {
    return await openArchive(path);
  } catch (cause) {
    throw new EngineError('INVALID_ARGUMENT', `unable open input file: open ${path}: ${systemWords(cause)}`, { cause });
  }
}
