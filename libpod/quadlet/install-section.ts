/** `[Install]` of a Quadlet file as links: what `systemctl enable` would do, which it refuses for units that a generator made. */
import { isAbsolute, normalize } from 'node:path';
import type { Source } from './source.ts';
import { splitWords, WordError } from './words.ts';

/** Below the directory of the units. */
export interface UnitLink {
  readonly path: string;
  readonly target: string;
}

const DIRECTORY = { WantedBy: 'wants', RequiredBy: 'requires', UpheldBy: 'upholds' } as const;

/** Names that lead out of the directory are passed over, with a warning. */
export function installLinks(source: Source): readonly UnitLink[] {
  const service = `${source.service}.service`;
  const links = wordsOf(source, 'Alias')
    .map((alias) => normalize(alias))
    .filter((alias) => isInside(source, 'Alias', alias) && alias !== service)
    .map((alias) => ({ path: alias, target: '../'.repeat(alias.split('/').length - 1) + service }));
  const enabled = enabledName(source, service);
  if (enabled === undefined) return links;
  for (const [key, kind] of Object.entries(DIRECTORY)) {
    for (const unit of wordsOf(source, key)) {
      if (unit.includes('/')) source.warn(`${unit} is no name of a unit`, source.unit.last('Install', key));
      else links.push({ path: `${unit}.${kind}/${enabled}`, target: `../${service}` });
    }
  }
  return links;
}

/** Of a template the default instance is enabled, if there is one. */
function enabledName({ isTemplate, unit }: Source, service: string): string | undefined {
  if (!isTemplate) return service;
  const instance = unit.last('Install', 'DefaultInstance')?.value;
  return instance === undefined || instance === '' || instance.includes('/')
    ? undefined
    : service.replace(/@(?=\.service$)/, `@${instance}`);
}

function isInside(source: Source, key: string, path: string): boolean {
  const isBelow = !isAbsolute(path) && path !== '.' && path !== '..' && !path.startsWith('../') && !path.endsWith('/');
  if (!isBelow) source.warn(`${path} leads out of the directory of units`, source.unit.last('Install', key));
  return isBelow;
}

function wordsOf(source: Source, key: string): readonly string[] {
  return source.unit.all('Install', key).flatMap((entry) => {
    try {
      return splitWords(entry.value);
    } catch (error) {
      if (!(error instanceof WordError)) throw error;
      source.warn(error.message, entry);
      return [];
    }
  });
}
