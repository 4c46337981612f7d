/** Look at Quadlet files without systemd, wherever they are: as the generator would, and nothing is written. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { EngineError } from '../../core/errors.ts';
import { systemWords } from '../../core/system-words.ts';
import { type BundledFile, splitBundle } from './bundle.ts';
import { convertFound } from './generate.ts';
import { loadSources, type SearchUser } from './search.ts';
import { kindOf, type Problem, Source } from './source.ts';
import { UnitFile, UnitSyntaxError } from './unit-file.ts';

export interface Checked {
  /** Names of the units that would be made of the files. */
  readonly units: readonly { readonly file: string; readonly unit: string }[];
  readonly problems: readonly Problem[];
}

/** Files that are named, files of named directories, and those in a `.quadlets` file. What they refer to may be beside them. Throws INVALID_ARGUMENT. */
export function checkFiles(paths: readonly string[], user: SearchUser, launcher: string): Checked {
  const problems: Problem[] = [];
  const asked = new Set<string>();
  const sources = new Map<string, Source>();
  for (const path of paths.map((one) => resolve(one))) {
    if (path.endsWith('.quadlets')) {
      const files = splitBundle(readText(path));
      for (const { name } of files) asked.add(name);
      for (const source of bundledSources(path, files, problems)) sources.set(source.file, source);
      continue;
    }
    const names = namesIn(path);
    const directory = names === undefined ? dirname(path) : path;
    for (const name of names ?? [basename(path)]) asked.add(name);
    const found = loadSources([directory], user);
    problems.push(...found.problems);
    for (const [file, source] of found.sources) if (!sources.has(file)) sources.set(file, source);
  }
  const made = convertFound({ sources, problems: [] }, user, launcher);
  return {
    units: made.units.filter(({ source }) => asked.has(source.file)).map(({ name, source }) => ({ file: source.path, unit: name })),
    problems: [...problems, ...made.problems].filter(({ path, file }) => asked.has(file ?? basename(path)) || path.endsWith('.conf')),
  };
}

/** Of a directory; undefined for a file. */
function namesIn(path: string): readonly string[] | undefined {
  try {
    return readdirSync(path).filter((name) => kindOf(name) !== undefined);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOTDIR')
      throw new EngineError('INVALID_ARGUMENT', `open ${path}: ${systemWords(error)}`, { cause: error });
    if (kindOf(path) === undefined) throw new EngineError('INVALID_ARGUMENT', `${path} is no kind of Quadlet file`);
    return undefined;
  }
}

function bundledSources(path: string, files: readonly BundledFile[], problems: Problem[]): readonly Source[] {
  return files.flatMap(({ name, text, offset }) => {
    try {
      // As many lines as the bundle has before it, so that places are those of the bundle.
      return [new Source(join(dirname(path), name), kindOf(name)!, UnitFile.parse('\n'.repeat(offset) + text, path))];
    } catch (error) {
      if (!(error instanceof UnitSyntaxError)) throw error;
      problems.push({ severity: 'error', path, file: name, line: error.place.line, message: error.message, hint: error.hint });
      return [];
    }
  });
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new EngineError('INVALID_ARGUMENT', `open ${path}: ${systemWords(error)}`, { cause: error });
  }
}
