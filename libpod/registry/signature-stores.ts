/** registries.d (containers-registries.d(5)): where the signatures of images would lie. They are shown, never fetched. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { EngineError } from '../../core/errors.ts';
import { systemWords } from '../../core/system-words.ts';

const FALLBACK = '/etc/containers/registries.d';

export interface SignatureStores {
  /** Where no scope fits. */
  readonly fallback: string;
  readonly byScope: ReadonlyMap<string, string>;
}

/** All `*.yaml` files of the directory, by default the user's, else the system's. No directory is an empty one. Throws CONFIG. */
export async function readSignatureStores(config: string, directory: string | undefined): Promise<SignatureStores> {
  const own = join(config, 'registries.d');
  const place = directory ?? (statSync(own, { throwIfNoEntry: false }) === undefined ? FALLBACK : own);
  const files = filesOf(place);
  if (files.length === 0) return { fallback: '', byScope: new Map() };
  const { parse } = await import('yaml');
  const [byScope, seen] = [new Map<string, string>(), new Map<string, string>()];
  let fallback = '';
  for (const file of files) {
    const document = recordOf(readYaml(file, parse));
    const note = (what: string): void => {
      const before = seen.get(what);
      if (before !== undefined) {
        throw refused(
          `error parsing signature storage configuration: ${what} defined both in ${JSON.stringify(file)} and ${JSON.stringify(before)}`,
        );
      }
      seen.set(what, file);
    };
    if (document['default-docker'] !== undefined) {
      note('"default-docker"');
      fallback = storeOf(document['default-docker']);
    }
    for (const [scope, entry] of Object.entries(recordOf(document['docker']))) {
      note(`"docker" namespace ${JSON.stringify(scope)}`);
      byScope.set(scope, storeOf(entry));
    }
  }
  return { fallback, byScope };
}

/** `quay.io/team/app`, then `quay.io/team`, then `quay.io`. */
export function signatureStoreOf(scope: string, { fallback, byScope }: SignatureStores): string {
  for (let at = scope; at !== ''; at = at.slice(0, Math.max(at.lastIndexOf('/'), 0))) {
    const found = byScope.get(at);
    if (found !== undefined) return found;
  }
  return fallback;
}

function filesOf(directory: string): readonly string[] {
  try {
    return readdirSync(directory)
      .filter((name) => name.endsWith('.yaml'))
      .toSorted()
      .map((name) => join(directory, name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw refused(`open ${directory}: ${systemWords(error)}`, error);
  }
}

function readYaml(file: string, parse: (text: string) => unknown): unknown {
  try {
    return parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw refused(`parsing ${file}: ${(error as Error).message.split('\n', 1)[0]}`, error);
  }
}

function storeOf(entry: unknown): string {
  const { lookaside, sigstore } = recordOf(entry);
  return [lookaside, sigstore].find((one) => typeof one === 'string' && one !== '')?.toString() ?? '';
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

function refused(words: string, cause?: unknown): EngineError {
  return new EngineError('CONFIG', `could not show trust policies: ${words}`, { cause });
}
