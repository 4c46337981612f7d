/**
 * What was installed together is removed together. Podman's record of it is a file beside them, `.NAME.app`, with the name of each on a line;
 * both programs read those of the other.
 */
import { readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { namesIn } from '../../host/if-there.ts';
import { replaceFile } from '../../host/replace-file.ts';

export interface App {
  /** `.web.app` */
  readonly name: string;
  readonly files: readonly string[];
}

export function appName(source: string): string {
  return `.${basename(source).replace(/\.quadlets$/, '')}.app`;
}

export function listApps(directory: string): readonly App[] {
  return namesIn(directory)
    .filter((name) => /^\..+\.app$/.test(name))
    .map((name) => ({
      name,
      // Whatever the record says, no file of another directory is part of it.
      files: readFileSync(join(directory, name), 'utf8')
        .split('\n')
        .filter((file) => file !== '' && basename(file) === file && file !== '..'),
    }));
}

/** With the files that it has already. */
export function recordApp(directory: string, name: string, files: readonly string[]): void {
  const before = listApps(directory).find((app) => app.name === name)?.files ?? [];
  const all = new Set([...before, ...files]);
  replaceFile(join(directory, name), [...all].map((file) => `${file}\n`).join(''), 0o644);
}

export function removeApp(directory: string, { name, files }: App): void {
  for (const file of files) rmSync(join(directory, file), { force: true });
  rmSync(join(directory, name), { force: true });
}
