import { EngineError } from '../../core/errors.ts';
import { pushImage } from '../../libpod/image/push.ts';
import { parseCompressionFormat } from '../../storage/transport/compress.ts';
import type { ManifestFormat } from '../../storage/transport/destination.ts';
import { defineCommand } from '../command.ts';
import { writeDigest } from '../digest-file.ts';
import { pushFace } from '../faces/push.ts';
import { interruptible } from '../interruption.ts';
import { copyProgress } from '../progress.ts';
import { registryChoice } from '../pulling.ts';

export const command = defineCommand(pushFace, async (context, [image, destination], flags) => {
  const choice = await registryChoice(context, flags);
  const compression = { compression: parseCompressionFormat(flags['compression-format'] ?? 'gzip'), level: flags['compression-level'] };
  const chosen = context.given.has('compression-format');
  const progress = copyProgress(context, flags);
  const options = {
    ...choice,
    format: parseFormat(flags.format),
    compression,
    // Whoever names a compression wants it, as in Podman.
    forceCompression: context.given.has('force-compression') ? flags['force-compression'] : chosen,
    compress: flags.compress,
    onEvent: flags['remove-signatures'] ? withoutSignatures(progress) : progress,
  };
  const engine = await context.openEngine();
  const digest = await interruptible((signal) => pushImage(engine, image!, destination, { ...options, signal }));
  if (flags.digestfile !== undefined) writeDigest(flags.digestfile, digest);
});

function parseFormat(text: string | undefined): ManifestFormat | undefined {
  if (text === undefined || text === '') return undefined;
  if (text === 'oci' || text === 'v2s2') return text;
  if (text === 'v2s1') {
    throw new EngineError('NOT_SUPPORTED', 'manifests of the format v2s1 are not written', {
      hint: 'Registries have taken v2s2 since 2015.',
    });
  }
  const choices = `Choose on of the supported formats: 'oci', 'v2s1', or 'v2s2'`;
  throw new EngineError('INVALID_ARGUMENT', `unknown format ${JSON.stringify(text)}. ${choices}`);
}

function withoutSignatures(progress: ReturnType<typeof copyProgress>): ReturnType<typeof copyProgress> {
  return (event) => {
    if (event.kind !== 'signatures') progress?.(event);
  };
}
