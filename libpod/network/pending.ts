/** Which container is being connected to a network or taken from one: a note beside the bridges' files, for whoever comes after a killed command. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { asId, type ContainerId } from '../../core/id.ts';
import type { Engine } from '../engine.ts';

export interface PendingChange {
  readonly container: ContainerId;
  /** The network that the container is to be in no more, if the command was killed. */
  readonly network: string;
}

export function notePending(engine: Engine, { container, network }: PendingChange): Disposable {
  const file = join(directoryOf(engine), container);
  mkdirSync(directoryOf(engine), { recursive: true, mode: 0o700 });
  writeFileSync(file, network, { mode: 0o600 });
  return { [Symbol.dispose]: () => rmSync(file, { force: true }) };
}

export function pendingChanges(engine: Engine): PendingChange[] {
  const directory = directoryOf(engine);
  if (!existsSync(directory)) return [];
  return readdirSync(directory).flatMap((name) => {
    try {
      return [{ container: asId<ContainerId>(name), network: readFileSync(join(directory, name), 'utf8') }];
    } catch {
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
