/** Where a copy comes from and where it lands: Podman's rules (podman-cp(1)), decided by the words and by what is there. */
import { basename, dirname } from 'node:path';
import { EngineError } from '../../../core/errors.ts';
import { latin1, type CopyTree } from './tree.ts';

export interface CopySide {
  readonly tree: CopyTree;
  /** As typed. */
  readonly typed: string;
  /** Absolute, latin1; a trailing `/` or `/.` is kept. */
  readonly path: string;
  /** `container web`, `the host`. */
  readonly place: string;
}

export interface Picked {
  /** Links followed. */
  readonly path: string;
  readonly isDirectory: boolean;
  /** `/.`: what the directory holds, not the directory. */
  readonly contents: boolean;
}

export interface Landing {
  readonly directory: string;
  /** New first part of the names. */
  readonly rename?: string;
  /** Taken instead of what was picked: a directory that is to become a new one goes whole, also where only its contents were asked for. */
  readonly whole?: Picked;
}

/** Throws INVALID_ARGUMENT. */
export function planSource(side: CopySide): Picked {
  const isRoot = side.path === '/';
  // No pattern is ever expanded: a name with a star is not looked for in a container (hostile.md C01).
  const isPattern = side.tree.record !== undefined && side.path.includes('*');
  const found = isPattern ? undefined : side.tree.follow(side.path);
  if (found?.stat === undefined) throw notFound(side);
  return { path: found.path, isDirectory: found.stat.isDirectory(), contents: isRoot || /(^|\/)\.$/.test(side.path) };
}

/** Throws INVALID_ARGUMENT. */
export function planDestination(side: CopySide, picked: Picked): Landing {
  const isPattern = side.tree.record !== undefined && side.path.includes('*');
  const found = isPattern ? undefined : side.tree.follow(side.path);
  if (found?.stat?.isDirectory()) return { directory: found.path };
  if (found?.stat !== undefined) {
    if (picked.isDirectory) throw new EngineError('INVALID_ARGUMENT', 'destination must be a directory when copying a directory');
    if (side.path.endsWith('/')) throw new EngineError('INVALID_ARGUMENT', `${JSON.stringify(side.typed)} exists but is not a directory`);
    return { directory: dirname(found.path), rename: basename(found.path) };
  }
  // Nothing is there: the parent gets it under that name. A link to nothing lands where it points, on the host it is replaced.
  if (side.path.endsWith('/')) throw notFound(side);
  const target = side.tree.record === undefined ? side.path : (found?.path ?? side.path);
  const parent = side.tree.follow(dirname(target));
  if (parent.stat?.isDirectory() !== true) throw notFound(side);
  const whole = picked.isDirectory && picked.contents ? { whole: { ...picked, contents: false } } : {};
  return { directory: parent.path, rename: basename(target), ...whole };
}

function notFound({ typed, place }: CopySide): EngineError {
  return new EngineError('INVALID_ARGUMENT', `${JSON.stringify(typed)} could not be found on ${place}: no such file or directory`);
}

/** A typed path made absolute, with the ending that says something kept. */
export function absolutePath(typed: string, workdir: string): string {
  const path = latin1(typed);
  return path.startsWith('/') ? path : `${latin1(workdir).replace(/\/+$/, '')}/${path}`;
}
