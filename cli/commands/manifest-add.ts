import { EngineError } from '../../core/errors.ts';
import { addToList } from '../../libpod/manifest/add.ts';
import type { ArtifactOptions } from '../../libpod/manifest/artifact.ts';
import { defineCommand } from '../command.ts';
import { manifestAddFace } from '../faces/manifest-add.ts';
import { entryChanges } from '../listing.ts';
import { registryChoice } from '../pulling.ts';

const ARTIFACT_FLAGS = [
  'artifact-type',
  'artifact-config',
  'artifact-config-type',
  'artifact-layer-type',
  'artifact-subject',
  'artifact-exclude-titles',
] as const;

export const command = defineCommand(manifestAddFace, async (context, [name, ...words], flags) => {
  const stray = flags.artifact ? undefined : ARTIFACT_FLAGS.find((flag) => context.given.has(flag));
  if (stray !== undefined) throw new EngineError('INVALID_ARGUMENT', `--${stray} requires --artifact`);
  const artifact: ArtifactOptions | undefined = flags.artifact
    ? {
        type: flags['artifact-type'],
        config: flags['artifact-config'],
        configType: flags['artifact-config-type'],
        layerType: flags['artifact-layer-type'],
        excludeTitles: flags['artifact-exclude-titles'],
        subject: flags['artifact-subject'],
      }
    : undefined;
  const options = { all: flags.all, changes: entryChanges(flags), artifact, ...(await registryChoice(context, flags)) };
  context.stdout.line(await addToList(await context.openEngine(), name!, words, options));
});
