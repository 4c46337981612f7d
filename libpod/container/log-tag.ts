/** What the log driver `journald` needs before a container starts. */
import { EngineError } from '../../core/errors.ts';
import { hasJournal, JOURNAL_SOCKET } from '../../host/journal.ts';
import type { Engine } from '../engine.ts';
import type { ContainerRecord } from '../state/containers.ts';
import { inspectedContainer } from './inspect.ts';

/** conmon would pass over a missing journal in silence, and the container's words with it. Throws NOT_SUPPORTED. */
export function requireJournal(): void {
  if (hasJournal()) return;
  throw new EngineError(
    'NOT_SUPPORTED',
    `the log driver "journald" needs systemd's journal: ${JOURNAL_SOCKET}: no such file or directory`,
    {
      hint: 'Use --log-driver k8s-file, or start systemd-journald.',
    },
  );
}

/** The tag of the container's messages, with its template filled in. Throws NOT_SUPPORTED, INVALID_TEMPLATE. */
export async function journalTag(engine: Engine, record: ContainerRecord): Promise<string | undefined> {
  requireJournal();
  const { tag } = record.config.log;
  if (tag === undefined || !tag.includes('{{')) return tag;
  return engine.options.expandTag(tag, await inspectedContainer(engine, record));
}
