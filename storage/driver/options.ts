/** The option string of an overlay mount (kernel Documentation/filesystems/overlayfs.rst; fuse-overlayfs(1) speaks the same). */

/** Less the terminating NUL: mount(2) takes one page of data. */
export const PAGE_DATA_BYTES = 4095;

export interface OverlayDirectories {
  /** Topmost first. */
  readonly lowers: readonly string[];
  readonly upper?: string | undefined;
  readonly work?: string | undefined;
}

/** For mount(2). `extra` are options without value. */
export function kernelOptions(directories: OverlayDirectories, extra: readonly string[]): string {
  const escape = (path: string) => path.replace(/[\\,]/g, '\\$&');
  const escapeLower = (path: string) => path.replace(/[\\,:]/g, '\\$&');
  return optionList(directories, extra, { lowers: (lowers) => lowers.map(escapeLower).join(':'), upper: escape, work: escape });
}

/** For `fuse-overlayfs -o`: libfuse takes one layer of backslashes away, the splitting of `lowerdir` another. A colon in `upper` cannot be said. */
export function fuseOptions(directories: OverlayDirectories, extra: readonly string[]): string {
  const forLibfuse = (text: string) => text.replace(/[\\,]/g, '\\$&');
  const forList = (path: string) => path.replace(/[\\:]/g, '\\$&');
  return optionList(directories, extra, {
    lowers: (lowers) => forLibfuse(lowers.map(forList).join(':')),
    upper: forLibfuse,
    work: forLibfuse,
  });
}

interface Escapes {
  readonly lowers: (paths: readonly string[]) => string;
  readonly upper: (path: string) => string;
  readonly work: (path: string) => string;
}

function optionList({ lowers, upper, work }: OverlayDirectories, extra: readonly string[], escapes: Escapes): string {
  return [
    ...extra,
    ...(upper === undefined ? [] : [`upperdir=${escapes.upper(upper)}`]),
    ...(work === undefined ? [] : [`workdir=${escapes.work(work)}`]),
    `lowerdir=${escapes.lowers(lowers)}`,
  ].join(',');
}

/** The lowers as seen from the directory that all of them lie in, and that directory. */
export function relativeToCommon(lowers: readonly string[]): { readonly directory: string; readonly lowers: readonly string[] } {
  let directory = parentOf(lowers[0]!);
  while (!lowers.every((lower) => lower.startsWith(directory))) directory = parentOf(directory.slice(0, -1));
  return { directory, lowers: lowers.map((lower) => lower.slice(directory.length)) };
}

/** With the slash at its end. */
function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/') + 1);
}
