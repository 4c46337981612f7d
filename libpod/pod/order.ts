/** In which order containers that need one another are started. Pure. */
import { EngineError } from '../../core/errors.ts';
import type { ContainerId } from '../../core/id.ts';

export interface Needing {
  readonly id: ContainerId;
  readonly name: string;
  /** Those that are not among the others do not count. */
  readonly needs: readonly ContainerId[];
}

/** Rounds: all of one may start at once when those before have started. Throws INVALID_ARGUMENT for a cycle, with the names along it. */
export function startRounds<T extends Needing>(all: readonly T[]): T[][] {
  const rounds: T[][] = [];
  let waiting = [...all];
  while (waiting.length > 0) {
    const isWaiting = (id: ContainerId): boolean => waiting.some((other) => other.id === id);
    const ready = waiting.filter(({ needs }) => !needs.some(isWaiting));
    if (ready.length === 0) throw cycle(waiting);
    rounds.push(ready);
    waiting = waiting.filter((one) => !ready.includes(one));
  }
  return rounds;
}

function cycle(waiting: readonly Needing[]): EngineError {
  const path = [waiting[0]!];
  for (;;) {
    const next = waiting.find(({ id }) => path.at(-1)!.needs.includes(id))!;
    const begin = path.indexOf(next);
    path.push(next);
    if (begin < 0) continue;
    const names = path.slice(begin).map(({ name }) => name);
    return new EngineError('INVALID_ARGUMENT', `the containers ${names.join(' → ')} need one another, so none of them can be the first`);
  }
}
