/** From the Quadlet files of a user to a directory of units. It runs when the machine boots: no store, no database, nothing but these files. */
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { withoutSpecifiers } from '../../core/unit-word.ts';
import { systemWords } from '../../core/system-words.ts';
import { convertAll, type Generated, type GeneratedUnit } from './convert.ts';
import { MISSING, MISSING_KEYS } from './missing.ts';
import { type Found, loadSources, type SearchUser } from './search.ts';
import type { Surroundings } from './service.ts';
import { type Problem, Source } from './source.ts';

/** `launcher` is bin/lichen: what the units call. */
export function generate(
  directories: readonly string[],
  user: SearchUser,
  launcher: string,
  loading?: (message: string) => void,
): Generated {
  const found = loadSources(directories, user, loading);
  return convertFound(found, user, launcher);
}

export function convertFound({ sources, problems }: Found, { rootless }: SearchUser, launcher: string): Generated {
  const made = convertAll(surroundings(sources, rootless, launcher));
  return { units: made.units, problems: [...problems, ...made.problems] };
}

function surroundings(sources: ReadonlyMap<string, Source>, rootless: boolean, launcher: string): Surroundings {
  return {
    sources,
    rootless,
    // systemd looks for specifiers in it, not for variables.
    program: withoutSpecifiers(launcher),
    missing: MISSING,
    missingKeys: MISSING_KEYS,
    account: (kind, name) => accountNumber(kind === 'user' ? '/etc/passwd' : '/etc/group', name),
    deviceExists: (path) => statSync(path, { throwIfNoEntry: false }) !== undefined,
  };
}

/** Both files have the number third. */
function accountNumber(path: string, name: string): number | undefined {
  const line = readFileSync(path, 'utf8')
    .split('\n')
    .find((one) => one.startsWith(`${name}:`));
  return line === undefined ? undefined : Number(line.split(':')[2]);
}

/**
 * Units and links. What cannot be written is returned as a problem. `mark` is the first line of each unit. A `fresh` directory has nothing that
 * could be in the way; elsewhere each file is complete or as it was.
 */
export function writeUnits(
  directory: string,
  units: readonly GeneratedUnit[],
  { mark, fresh }: { readonly mark: string; readonly fresh: boolean },
): readonly Problem[] {
  const problems: Problem[] = [];
  const write = (path: string, make: (path: string) => void): boolean => {
    try {
      if (fresh) make(path);
      else replace(path, make);
      return true;
    } catch (error) {
      problems.push({ severity: 'error', path, message: `error writing unit: ${systemWords(error)}` });
      return false;
    }
  };
  const made = new Set<string>();
  for (const { name, text, links } of units) {
    // Where this fails links would, too.
    if (!write(join(directory, name), (path) => writeFileSync(path, `${mark}\n\n${text}`))) continue;
    for (const link of links) {
      write(join(directory, link.path), (path) => {
        if (!made.has(dirname(link.path))) mkdirSync(dirname(path), { recursive: true });
        made.add(dirname(link.path));
        symlinkSync(link.target, path);
      });
    }
  }
  return problems;
}

function replace(path: string, make: (aside: string) => void): void {
  const aside = `${path}.new`;
  rmSync(aside, { force: true });
  make(aside);
  renameSync(aside, path);
}

/** One line: what is wrong, where, and what to do. */
export function problemLine({ severity, message, path, line, key, hint, file }: Problem): string {
  const place = [`${path}${line === undefined ? '' : `:${line}`}`, ...(key === undefined ? [] : [`key ${key}`])].join(', ');
  const before = severity === 'warning' ? 'Warning: ' : file === undefined ? '' : `converting "${file}": `;
  return `${before}${message} (${place})${hint === undefined ? '' : `. ${hint}`}`;
}
