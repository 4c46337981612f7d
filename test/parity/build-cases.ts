/** The cases of test/build-cases: a directory with a Dockerfile, its context, and `flags`, one word in a line; `@CONTEXT` stands for the directory. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const BUILD_CASES = join(import.meta.dirname, '../build-cases');

/** Images that the cases begin with. */
export const BASES = ['busybox', 'configured', 'empty', 'layered'] as const;

export interface BuildCase {
  readonly name: string;
  readonly flags: readonly string[];
}

/** Parents of others first, then by name. */
export function buildCases(): readonly BuildCase[] {
  const names = readdirSync(BUILD_CASES).toSorted();
  return names.map((name) => ({ name, flags: flagsOf(name) }));
}

function flagsOf(name: string): readonly string[] {
  const path = join(BUILD_CASES, name, 'flags');
  return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : [];
}

/** `directory`: where the directories of all cases are. */
export function buildWords({ name, flags }: BuildCase, directory: string): readonly string[] {
  const context = join(directory, name);
  return ['build', '--quiet', '--tag', imageOf(name), ...flags.map((word) => word.replaceAll('@CONTEXT', context)), context];
}

/** Times are compared, too, where the case is about them. */
export function isTimed(name: string): boolean {
  return name.startsWith('timestamp');
}

export function imageOf(name: string): string {
  return `localhost/case:${name}`;
}
