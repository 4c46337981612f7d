/** ARGs that are there without being declared. */
import { formatPlatform } from '../storage/platform.ts';
import type { Platform } from '../storage/image.ts';
import type { MetadataFacts } from './metadata.ts';
import type { StageState } from './state.ts';

/** Programs of steps see these when they are given by `--build-arg`; the history never tells them. */
export const PREDEFINED = [
  'HTTP_PROXY',
  'http_proxy',
  'HTTPS_PROXY',
  'https_proxy',
  'FTP_PROXY',
  'ftp_proxy',
  'NO_PROXY',
  'no_proxy',
  'ALL_PROXY',
  'all_proxy',
];

/** Given by `--source-date-epoch` too; steps see it where it is declared. */
export const EPOCH = 'SOURCE_DATE_EPOCH';

/** For whoever builds, in the words of `# check=…`; no step sees it. */
export const CHECK = 'BUILDKIT_DOCKERFILE_CHECK';

/** Others that are for BuildKit itself. */
export const OF_BUILDKIT = /^BUILDKIT_/;

export function predefinedEnv({ buildArgs }: Pick<MetadataFacts, 'buildArgs'>, { args }: Pick<StageState, 'args'>): readonly string[] {
  return PREDEFINED.filter((name) => buildArgs.has(name) && !args.has(name)).map((name) => `${name}=${buildArgs.get(name)}`);
}

export function platformArgs(target: Platform, own: Platform): ReadonlyMap<string, string> {
  const of = (prefix: string, platform: Platform): (readonly [string, string])[] => [
    [`${prefix}PLATFORM`, formatPlatform(platform)],
    [`${prefix}OS`, platform.os],
    [`${prefix}ARCH`, platform.architecture],
    [`${prefix}VARIANT`, platform.variant ?? ''],
  ];
  return new Map([...of('TARGET', target), ...of('BUILD', own)]);
}
