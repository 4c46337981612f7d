/** Which containers a verb is to work on: those named, all, the last created, those a filter matches. */
import { EngineError, isEngineError } from '../../core/errors.ts';
import type { Engine } from '../engine.ts';
import { splitFilters } from '../filters.ts';
import type { ContainerRecord } from '../state/containers.ts';
import { containerTest } from './filter.ts';

export interface Selection {
  readonly names: readonly string[];
  readonly all?: boolean;
  readonly latest?: boolean;
  /** Together with names: those of the named that match. */
  readonly filters?: readonly string[];
  readonly ignoreMissing?: boolean;
}

export interface Selected {
  readonly record: ContainerRecord;
  /** As the caller named it; the id where nobody did. */
  readonly shown: string;
}

/** All names are looked up before anything is done to any of them. Throws NO_SUCH_CONTAINER, AMBIGUOUS_ID, INVALID_ARGUMENT (filters). */
export function selectContainers(engine: Engine, selection: Selection): Selected[] {
  const named = selection.latest
    ? [byId(latestContainer(engine))]
    : selection.names.flatMap((name) => lookUp(engine, name, selection.ignoreMissing === true));
  const filters = splitFilters(selection.filters ?? []);
  if (filters.size === 0) return selection.all ? engine.containers.list().map(byId) : named;
  const test = containerTest(filters, { nowMs: Date.now(), find: (name) => engine.containers.find(name) });
  const candidates = selection.names.length > 0 || selection.latest ? named : engine.containers.list().map(byId);
  return candidates.filter(({ record }) => test(record));
}

/** Throws NO_SUCH_CONTAINER when there is none at all. */
export function latestContainer(engine: Engine): ContainerRecord {
  const latest = engine.containers.latest();
  if (!latest) throw new EngineError('NO_SUCH_CONTAINER', 'no such container');
  return latest;
}

function byId(record: ContainerRecord): Selected {
  return { record, shown: record.id };
}

function lookUp(engine: Engine, name: string, ignoreMissing: boolean): Selected[] {
  try {
    return [{ record: engine.containers.find(name), shown: name }];
  } catch (error) {
    if (ignoreMissing && isEngineError(error, 'NO_SUCH_CONTAINER')) return [];
    throw error;
  }
}
