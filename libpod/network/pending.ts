/**
 * Which container is being connected to a network or taken from one: a note beside the bridges' files, for whoever comes after a killed command.
 * It is what a symbolic link says, for that is never there in part.
 */
import { mkdirSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { asId, type ContainerId } from '../../core/id.ts';
import { namesIn } from '../../host/if-there.ts';
import { identify, isAlive, type ProcessIdentity } from '../../host/pid.ts';
import type { Engine } from '../engine.ts';

export interface PendingChange {
  readonly container: ContainerId;
  /** The network that the container is to be in no more, if the command was killed. */
  readonly network: string;
  /** Who changes it is at work still. */
  readonly isUnderWay: boolean;
}

interface Note extends Pick<PendingChange, 'network'> {
  readonly by?: ProcessIdentity | undefined;
}

export function notePending(engine: Engine, { container, network }: Pick<PendingChange, 'container' | 'network'>): Disposable {
  const file = join(directoryOf(engine), container);
  mkdirSync(directoryOf(engine), { recursive: true, mode: 0o700 });
  const note: Note = { network, by: identify(process.pid) };
  try {
    symlinkSync(JSON.stringify(note), file);
  } catch (error) {
    // That of the killed command whose change we take back.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return { [Symbol.dispose]: () => rmSync(file, { force: true }) };
}

export function pendingChanges(engine: Engine): PendingChange[] {
  const directory = directoryOf(engine);
  return namesIn(directory).flatMap((name) => {
    try {
      const { network, by } = JSON.parse(readlinkSync(join(directory, name))) as Note;
      return [{ container: asId<ContainerId>(name), network, isUnderWay: by !== undefined && isAlive(by) }];
    } catch {
      // It is done.
      return [];
    }
  });
}

export function forgetPending(engine: Engine, { container }: PendingChange): void {
  rmSync(join(directoryOf(engine), container), { force: true });
}

function directoryOf(engine: Engine): string {
  return join(engine.paths.run, 'networks', 'pending');
}
