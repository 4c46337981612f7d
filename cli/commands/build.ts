import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { refuseWarnings } from '../../build/dockerfile/check.ts';
import { EngineError, orAbsent } from '../../core/errors.ts';
import type { ImageId } from '../../core/id.ts';
import { systemWords } from '../../core/system-words.ts';
import { buildImage } from '../../libpod/build/build.ts';
import type { BuildOutput } from '../../libpod/build/output.ts';
import type { RepositoryChoice } from '../../libpod/build/step-repositories.ts';
import { stagingDirectory } from '../../libpod/image/blobs.ts';
import { completePlatform } from '../../libpod/image/pull.ts';
import { localName, nameToTag } from '../../libpod/image/tag.ts';
import { findList } from '../../libpod/manifest/find.ts';
import { parsePullPolicy } from '../../libpod/spec/parse/words.ts';
import { formatPlatform } from '../../storage/platform.ts';
import { formatReference } from '../../storage/reference.ts';
import { openContexts } from '../build/contexts.ts';
import { openLog } from '../build/log.ts';
import { readOutputs } from '../build/output.ts';
import { findPlace } from '../build/place.ts';
import { buildReport } from '../build/progress.ts';
import type { BuiltNames } from '../build/push.ts';
import { PROGRESS } from '../build/report.ts';
import { buildRequest, wantedPlatforms, type BuildFlags } from '../build/request.ts';
import { stepWish } from '../build/wish.ts';
import { defineCommand, type CommandContext } from '../command.ts';
import { buildFace } from '../faces/build.ts';
import { interruptible } from '../interruption.ts';
import { pullForCreation } from '../pulling.ts';

export const command = defineCommand(buildFace, async (context, [typedContext], flags) => {
  const { cwd, stderr } = context;
  const policy = parsePullPolicy(flags.pull ?? 'missing');
  const { outputs, tags: moreTags, takesStdout, pushes } = readOutputs(context, flags.output);
  const stdout = takesStdout ? stderr : context.stdout;
  const tags = [...flags.tag, ...moreTags];
  const names = tags.map(checkedTag);
  const progress = flags.quiet ? 'quiet' : PROGRESS.find((one) => one === flags.progress)!;
  const platforms = wantedPlatforms(flags);
  const isForSeveral = platforms.length > 1;
  checkOutputs(outputs, isForSeveral);
  const listName = flags.manifest === undefined ? undefined : formatReference(localName(flags.manifest));
  const built = { images: names, list: listName };
  const isPushed = flags.push || pushes;
  if (isPushed) checkPush(built, isForSeveral);
  const wish = stepWish(context, flags);
  const { 'hooks-dir': hooks, 'runtime-flag': runtimeFlags } = flags;
  const engine = await context.openEngine({
    ...(hooks.length === 0 ? {} : { 'hooks-dir': hooks }),
    ...(runtimeFlags.length === 0 ? {} : { 'runtime-flag': runtimeFlags }),
  });
  const repositories = await repositoriesIn(context, flags);
  if (listName !== undefined) await orAbsent(() => findList(engine, listName), 'NO_SUCH_IMAGE');
  return await interruptible(async (signal) => {
    using contexts = await openContexts(engine, { cwd, typed: typedContext, named: flags['build-context'], files: flags.file, signal });
    const place = await findPlace(context, contexts.context, flags);
    using _root = place.context.root;
    const stages = place.dockerfile.statements.filter(({ kind }) => kind === 'from').length;
    const isCheck = flags.check || flags.call === 'check';
    if (isCheck || place.dockerfile.directives.checksAreErrors) {
      const { tellWarnings, warningsOf } = await import('../build/check.ts');
      const warnings = await warningsOf(engine, place);
      if (isCheck) return tellWarnings(stdout, warnings);
      refuseWarnings(place.dockerfile, warnings);
    }
    const ids: ImageId[] = [];
    for (const platform of platforms) {
      const platformName = isForSeveral ? formatPlatform(completePlatform(platform)) : undefined;
      using log = openLog(cwd, flags, platformName, platform === platforms[0]);
      const said = log === undefined ? { stdout, stderr } : { stdout: log.printer, stderr: log.printer };
      using report = buildReport({ progress, ...said, stages, platform: platformName, scratch: stagingDirectory(engine) });
      const id = await buildImage(engine, {
        signal,
        request: buildRequest(context, flags, place, { contexts: contexts.named, platform, tell: (event) => report.tell(event) }),
        tags,
        outputs: outputs.map((output) => ofPlatform(output, platformName)),
        wish,
        repositories,
        output: (stage) => report.output(stage),
        stdin: flags.stdin ? 0 : undefined,
        pull: (image, wanted) => pullForCreation(context, engine, { image, policy, platform: wanted, flags }),
        onCommit: () =>
          report.line(`${platformName === undefined ? '' : `[${platformName}] `}COMMIT${names[0] === undefined ? '' : ` ${tags[0]}`}`),
      }).catch((error: unknown) => {
        report.fail(error);
        throw error;
      });
      report.line(`--> ${id.slice(0, 12)}`);
      for (const name of names) report.line(`Successfully tagged ${name}`);
      stdout.line(id);
      ids.push(id);
    }
    const made = listName === undefined ? ids.at(-1)! : await listed(listName, ids);
    if (flags.iidfile !== undefined) writeResult(cwd, flags.iidfile, `sha256:${made}`);
    if (flags['metadata-file'] !== undefined) {
      const { builtMetadata } = await import('../../libpod/build/metadata.ts');
      const metadata = await builtMetadata(engine, made, listName === undefined ? names : [listName]);
      writeResult(cwd, flags['metadata-file'], `${JSON.stringify(metadata, undefined, 2)}\n`);
    }
    if (isPushed) {
      const { pushBuilt } = await import('../build/push.ts');
      await pushBuilt(context, engine, built, flags, signal);
    }
    return 0;
  });

  async function listed(name: string, ids: readonly ImageId[]): Promise<ImageId> {
    const { createList } = await import('../../libpod/manifest/create.ts');
    return await createList(engine, name, ids, { all: false, amend: true, annotations: {} });
  }
});

async function repositoriesIn(context: CommandContext, flags: BuildFlags): Promise<RepositoryChoice | undefined> {
  if (flags['cache-from'].length === 0 && flags['cache-to'].length === 0) return undefined;
  const { readRepositories } = await import('../build/repositories.ts');
  return await readRepositories(context, flags);
}

/** Throws INVALID_ARGUMENT: there is nothing to call it by. */
function checkPush({ images, list }: BuiltNames, isForSeveral: boolean): void {
  if (list !== undefined) return;
  if (images.length === 0)
    throw new EngineError('INVALID_ARGUMENT', 'tag is needed when pushing to registry', { hint: 'Add --tag REGISTRY/NAME.' });
  if (isForSeveral)
    throw new EngineError('INVALID_ARGUMENT', '--push: images for several platforms are pushed as a list', {
      hint: `Name it: --manifest ${images[0]}`,
    });
}

/** Throws INVALID_ARGUMENT. */
function checkOutputs(outputs: readonly BuildOutput[], isForSeveral: boolean): void {
  const odd = outputs.find(({ kind }) => isForSeveral && kind !== 'local');
  if (odd !== undefined) throw new EngineError('INVALID_ARGUMENT', '--output: with several platforms it is a directory (type=local)');
}

function ofPlatform(output: BuildOutput, platform: string | undefined): BuildOutput {
  if (platform === undefined || output.kind !== 'local') return output;
  return { ...output, directory: join(output.directory, platform.replaceAll('/', '_')) };
}

/** Throws INVALID_ARGUMENT. */
function writeResult(cwd: string, path: string, text: string): void {
  try {
    writeFileSync(resolve(cwd, path), text);
  } catch (cause) {
    throw new EngineError('INVALID_ARGUMENT', `open ${path}: ${systemWords(cause)}`, { cause });
  }
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
