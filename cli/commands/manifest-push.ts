import { EngineError } from '../../core/errors.ts';
import { pushList } from '../../libpod/manifest/push.ts';
import { removeLists } from '../../libpod/manifest/remove.ts';
import { parseCompressionFormat, type LayerCompression } from '../../storage/transport/compress.ts';
import type { ManifestFormat } from '../../storage/transport/destination.ts';
import { defineCommand } from '../command.ts';
import { writeDigest } from '../digest-file.ts';
import { manifestPushFace } from '../faces/manifest-push.ts';
import { throwFailures } from '../failures.ts';
import { interruptible } from '../interruption.ts';
import { copyProgress } from '../progress.ts';
import { registryChoice } from '../pulling.ts';

export const command = defineCommand(manifestPushFace, async (context, [name, destination], flags) => {
  const chosen = context.given.has('compression-format') || context.given.has('compression-level');
  const compression = { compression: parseCompressionFormat(flags['compression-format'] ?? 'gzip'), level: flags['compression-level'] };
  const options = {
    ...(await registryChoice(context, flags)),
    all: flags.all,
    format: parseFormat(flags.format),
    ...(chosen ? { compression } : {}),
    addCompression: flags['add-compression'].map(parseAdded),
    forceCompression: context.given.has('force-compression') ? flags['force-compression'] : context.given.has('compression-format'),
    onEvent: copyProgress(context, flags),
  };
  const engine = await context.openEngine();
  const digest = await interruptible((signal) => pushList(engine, name!, destination, { ...options, signal }));
  if (flags.digestfile !== undefined) writeDigest(flags.digestfile, digest);
  if (flags.rm) throwFailures((await removeLists(engine, [name!], { ignoreMissing: true })).failures, []);
});

function parseAdded(text: string): LayerCompression {
  try {
    return parseCompressionFormat(text);
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    const { code, hint, message } = error;
    const hinted = hint === undefined ? {} : { hint };
    throw new EngineError(code, `requested algorithm ${text} is not supported for replication: ${message}`, { cause: error, ...hinted });
  }
}

function parseFormat(text: string | undefined): ManifestFormat | undefined {
  if (text === undefined || text === '') return undefined;
  if (text === 'oci' || text === 'v2s2') return text;
  throw new EngineError('INVALID_ARGUMENT', `unknown format ${JSON.stringify(text)}. Choose one of the supported formats: 'oci' or 'v2s2'`);
}
