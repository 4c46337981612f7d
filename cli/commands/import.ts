import { EngineError } from '../../core/errors.ts';
import { importRootfs } from '../../libpod/image/import.ts';
import { defineCommand } from '../command.ts';
import { importFace } from '../faces/import.ts';
import { copyProgress } from '../progress.ts';
import { wantedPlatform } from '../pulling.ts';

export const command = defineCommand(importFace, async (context, [source, reference], flags) => {
  const fromStdin = source === '-';
  if (fromStdin && process.stdin.isTTY) {
    throw new EngineError('INVALID_ARGUMENT', 'cannot read from terminal, use command-line redirection');
  }
  const engine = await context.openEngine();
  // Podman says it even when it is to be quiet.
  if (/^https?:\/\//.test(source!)) context.stdout.line(`Downloading from ${JSON.stringify(source)}`);
  const id = await importRootfs(engine, fromStdin ? process.stdin : source!, {
    reference,
    platform: wantedPlatform(flags),
    changes: flags.change,
    message: flags.message,
    onEvent: copyProgress(context, flags),
  });
  context.stdout.line(`sha256:${id}`);
});
