/** The containers a command line names: positionals, --all, --latest, --filter, --cidfile. */
import { readFileSync } from 'node:fs';
import { EngineError } from '../core/errors.ts';
import { systemWords } from '../core/system-words.ts';
import { type Selected, selectContainers } from '../libpod/container/select.ts';
import type { Engine } from '../libpod/engine.ts';

export interface SelectionFlags {
  readonly all?: boolean;
  readonly latest?: boolean;
  readonly filter?: readonly string[];
  readonly cidfile?: readonly string[];
}

export interface SelectionOptions {
  /** A name without a container is passed over. */
  readonly ignoreMissing?: boolean;
  /** So is a --cidfile that is not there. */
  readonly ignoreMissingFiles?: boolean;
}

/** Throws NO_SUCH_CONTAINER, AMBIGUOUS_ID, INVALID_ARGUMENT. */
export function selectByFlags(engine: Engine, names: readonly string[], flags: SelectionFlags, options: SelectionOptions = {}): Selected[] {
  const fromFiles = (flags.cidfile ?? []).flatMap((path) => readIdFile(path, options.ignoreMissingFiles === true));
  const nobody = names.length === 0 && fromFiles.length === 0;
  if (nobody && (flags.cidfile ?? []).length > 0) return [];
  return selectContainers(engine, {
    names: [...names, ...fromFiles],
    all: flags.all === true,
    latest: flags.latest === true,
    filters: flags.filter ?? [],
    ignoreMissing: options.ignoreMissing === true,
  });
}

/** The id in a file that `create --cidfile` wrote: its first line. */
export function readIdFile(path: string, ignoreMissing: boolean): string[] {
  try {
    return [readFileSync(path, 'utf8').split('\n', 1)[0]!];
  } catch (cause) {
    if (ignoreMissing && (cause as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new EngineError('INVALID_ARGUMENT', `reading CIDFile: open ${path}: ${systemWords(cause)}`, { cause });
  }
}
