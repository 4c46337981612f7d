import { EngineError } from '../../core/errors.ts';
import { annotateEntry, annotateIndex } from '../../libpod/manifest/annotate.ts';
import { defineCommand } from '../command.ts';
import { manifestAnnotateFace } from '../faces/manifest-annotate.ts';
import { annotationMap, entryChanges } from '../listing.ts';

/** What is said of entries only, with Podman's words for it. */
const ENTRY_ONLY = {
  os: 'OS',
  arch: 'architecture',
  variant: 'variant',
  features: 'features',
  'os-features': 'OS features',
  'os-version': 'OS version',
} as const;

export const command = defineCommand(manifestAnnotateFace, async (context, [name, instance], flags) => {
  const { index, subject } = flags;
  const annotations = annotationMap(flags.annotation);
  if (!index) {
    if (instance === undefined) throw invalid('expected an instance digest, image name, or artifact name');
    if (subject) throw invalid('setting subject for a manifest list requires no instance digest');
    context.stdout.line(await annotateEntry(await context.openEngine(), name!, instance, entryChanges(flags)));
    return;
  }
  if (instance !== undefined) {
    throw invalid(`did not expect image or artifact name ${JSON.stringify(instance)} when modifying the entire index`);
  }
  for (const [flag, words] of Object.entries(ENTRY_ONLY)) {
    if (context.given.has(flag)) throw invalid(`setting ${words} on an item in a manifest list requires an instance digest`);
  }
  context.stdout.line(await annotateIndex(await context.openEngine(), name!, { annotations, subject: subject || undefined }));
});

function invalid(message: string): EngineError {
  return new EngineError('INVALID_ARGUMENT', message);
}
