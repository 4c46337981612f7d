/** From the flags of `build` to what is to be built. */
import { resolve } from 'node:path';
import type { BuildEvent, BuildRequest } from '../../build/request.ts';
import { parseDurationMs } from '../../core/duration.ts';
import { EngineError } from '../../core/errors.ts';
import { completePlatform } from '../../libpod/image/pull.ts';
import { parseAnnotation, parseEnv, parseLabel } from '../../libpod/spec/parse/env.ts';
import { EPOCH } from '../../build/arguments.ts';
import type { Platform } from '../../storage/image.ts';
import { parsePlatform } from '../../storage/platform.ts';
import { callerEnvironment } from '../caller-env.ts';
import type { CommandContext } from '../command.ts';
import type { buildFace } from '../faces/build.ts';
import type { FlagValues } from '../flag.ts';
import { wantedPlatform } from '../pulling.ts';
import { hiddenThings } from './hidden.ts';
import { readText, type BuildPlace } from './place.ts';

export type BuildFlags = FlagValues<(typeof buildFace)['flags']>;

export interface RequestParts {
  readonly contexts: BuildRequest['contexts'];
  /** One of wantedPlatforms. */
  readonly platform: Partial<Platform> | undefined;
  readonly tell: (event: BuildEvent) => void;
}

/** Throws INVALID_ARGUMENT, DOCKERFILE. */
export function buildRequest(
  context: CommandContext,
  flags: BuildFlags,
  place: BuildPlace,
  { contexts, platform, tell }: RequestParts,
): BuildRequest {
  const { env, given, cwd, stderr } = context;
  const buildArgs = new Map([
    ...flags['build-arg-file'].flatMap((path) => argFile(path, cwd, env)),
    ...flags['build-arg'].flatMap((text) => parseEnv(text, callerEnvironment(env))),
  ]);
  const epoch = flags['source-date-epoch'] ?? buildArgs.get(EPOCH) ?? env[EPOCH];
  if (epoch !== undefined && epoch !== '' && !buildArgs.has(EPOCH)) buildArgs.set(EPOCH, epoch);
  const timestamp = timestampOf(flags, epoch);
  return {
    dockerfile: place.dockerfile,
    context: place.context,
    contextName: place.contextName,
    contexts,
    target: flags.target || undefined,
    from: flags.from || undefined,
    buildArgs,
    env: flags.env.flatMap((text) => parseEnv(text, callerEnvironment(env))),
    labels: Object.fromEntries(flags.label.map(parseLabel)),
    annotations: Object.fromEntries(flags.annotation.map(parseAnnotation)),
    unsetEnv: flags.unsetenv,
    unsetLabels: flags.unsetlabel,
    unsetAnnotations: flags.unsetannotation,
    inheritLabels: flags['inherit-labels'],
    osVersion: flags['os-version'] || undefined,
    osFeatures: flags['os-feature'],
    format: format(flags, env),
    layers: flags['squash-all'] ? 'all' : flags.squash || !flags.layers ? 'one' : 'each',
    hidden: hiddenThings(flags, callerEnvironment(env), cwd),
    useCache: !flags['no-cache'] && flags.layers,
    freshStages: flags['no-cache-filter'],
    cacheTtlMs: cacheTtl(flags),
    platform: completePlatform(platform),
    givenPlatform: platform !== undefined,
    timestamp,
    fileTimes: given.has('timestamp') ? 'all' : flags['rewrite-timestamp'] ? 'younger' : undefined,
    keepsVolumes: flags['compat-volumes'],
    omitHistory: flags['omit-history'],
    createdAnnotation: flags['created-annotation'],
    tell,
    warn: (line) => stderr.line(line),
  };
}

/** What to build for, one after the other; undefined stands for this machine. Throws INVALID_ARGUMENT. */
export function wantedPlatforms({ platform, os, arch, variant }: BuildFlags): readonly (Partial<Platform> | undefined)[] {
  if (platform.length === 0) return [wantedPlatform({ os, arch, variant })];
  return platform.map((text) => {
    parsePlatform(text);
    return wantedPlatform({ platform: text, os, arch, variant });
  });
}

function cacheTtl({ 'cache-ttl': text }: BuildFlags): number | undefined {
  if (text === undefined || text === '') return undefined;
  try {
    return parseDurationMs(text);
  } catch (cause) {
    throw new EngineError(
      'INVALID_ARGUMENT',
      `unable to parse value provided ${JSON.stringify(text)} as --cache-ttl: ${(cause as Error).message}`,
      { cause },
    );
  }
}

function format({ format: typed }: BuildFlags, env: NodeJS.ProcessEnv): 'oci' | 'docker' {
  const word = typed ?? (env['BUILDAH_FORMAT'] || 'oci');
  if (word === 'oci' || word === 'docker') return word;
  throw new EngineError('INVALID_ARGUMENT', `unrecognized image type ${JSON.stringify(word)}`);
}

function timestampOf(flags: BuildFlags, epoch: string | undefined): number | undefined {
  if (flags.timestamp !== undefined && flags['source-date-epoch'] !== undefined)
    throw new EngineError('INVALID_ARGUMENT', 'timestamp and source-date-epoch can not be specified together');
  if (flags.timestamp !== undefined) return checkedSeconds('--timestamp', String(flags.timestamp));
  return epoch === undefined || epoch === '' ? undefined : checkedSeconds('source date epoch', epoch);
}

const MAX_SECONDS = 253_402_300_799;

function checkedSeconds(what: string, text: string): number {
  if (/^\d+$/.test(text) && Number(text) <= MAX_SECONDS) return Number(text);
  throw new EngineError('INVALID_ARGUMENT', `${what}: ${JSON.stringify(text)} is no number of seconds since 1970`);
}

function argFile(path: string, cwd: string, env: NodeJS.ProcessEnv): (readonly [string, string])[] {
  const text = readText(resolve(cwd, path), path).toString();
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '' && !line.startsWith('#'));
  return lines.flatMap((line) => parseEnv(line, callerEnvironment(env)));
}
