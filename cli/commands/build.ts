import { closeSync, openSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { EngineError } from '../../core/errors.ts';
import { buildImage } from '../../libpod/build/build.ts';
import { parsePullPolicy } from '../../libpod/spec/parse/words.ts';
import { formatReference } from '../../storage/reference.ts';
import { nameToTag } from '../../libpod/image/tag.ts';
import { openContexts } from '../build/contexts.ts';
import { findPlace } from '../build/place.ts';
import { buildReport } from '../build/report.ts';
import { buildRequest } from '../build/request.ts';
import { stepWish } from '../build/wish.ts';
import { defineCommand } from '../command.ts';
import { buildFace } from '../faces/build.ts';
import { interruptible } from '../interruption.ts';
import { pullForCreation } from '../pulling.ts';

export const command = defineCommand(buildFace, async (context, [typedContext], flags) => {
  const { stdout, cwd } = context;
  const policy = parsePullPolicy(flags.pull ?? 'missing');
  const names = flags.tag.map(checkedTag);
  const wish = stepWish(context, flags);
  const engine = await context.openEngine();
  await interruptible(async (signal) => {
    using contexts = await openContexts(engine, {
      cwd,
      typed: typedContext,
      named: flags['build-context'],
      files: flags.file,
      signal,
    });
    const place = findPlace(cwd, contexts.context, flags);
    using _root = place.context.root;
    const stages = place.dockerfile.statements.filter(({ kind }) => kind === 'from').length;
    const report = buildReport(stdout, { quiet: flags.quiet, stages });
    using silence = flags.quiet ? openNothing() : undefined;
    const id = await buildImage(engine, {
      signal,
      request: buildRequest(context, flags, place, contexts.named, report.tell),
      tags: flags.tag,
      wish,
      output: { stdout: silence?.fd ?? stdout.fd, stderr: context.stderr.fd },
      pull: (image, platform) => pullForCreation(context, engine, { image, policy, platform, flags }),
      onCommit: () => {
        if (!flags.quiet) stdout.line(`COMMIT${names[0] === undefined ? '' : ` ${flags.tag[0]}`}`);
      },
    });
    if (!flags.quiet) {
      stdout.line(`--> ${id.slice(0, 12)}`);
      for (const name of names) stdout.line(`Successfully tagged ${name}`);
    }
    if (flags.iidfile !== undefined) writeFileSync(resolve(cwd, flags.iidfile), `sha256:${id}`);
    stdout.line(id);
  });
});

function openNothing(): { readonly fd: number } & Disposable {
  const fd = openSync('/dev/null', 'w');
  return { fd, [Symbol.dispose]: () => closeSync(fd) };
}

/** Throws INVALID_REFERENCE. */
function checkedTag(tag: string): string {
  try {
    return formatReference(nameToTag(tag));
  } catch (cause) {
    const why = /[A-Z]/.test(tag.replace(/:[^:/]*$/, '')) ? 'repository name must be lowercase' : 'it is no name of an image';
    throw new EngineError('INVALID_REFERENCE', `tag ${tag}: invalid reference format: ${why}`, { cause });
  }
}
