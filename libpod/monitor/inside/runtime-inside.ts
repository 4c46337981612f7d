/** The embedded runtime's work, done by a monitor itself: two starts of Node less than by its program. */
import { isEngineError } from '../../../core/errors.ts';
import { readProcess } from '../../../runtime/bundle.ts';
import { createContainer } from '../../../runtime/create.ts';
import { execInContainer } from '../../../runtime/exec.ts';
import { deleteContainer } from '../../../runtime/operate.ts';
import { withoutGaps } from '../../runtime/preserved.ts';
import type { RuntimeInside } from '../../runtime/runtime.ts';
import type { Streams } from './streams.ts';
import type { MonitorTask } from './task.ts';

/** The pid of a child of ours, which waits to be let go; or what went wrong. */
export async function createInside(
  task: MonitorTask,
  { stateRoot, cgroupManager }: RuntimeInside,
  streams: Streams,
): Promise<number | string> {
  const { id, directory, pidFile, processFile } = task;
  const common = {
    root: stateRoot,
    id,
    fds: [...streams.stdio, ...withoutGaps(task.preserveFds).map((fd) => (fd === 'ignore' ? 'null' : fd))],
    pidFile,
    consoleSocket: undefined,
  };
  try {
    if (processFile !== undefined) {
      const { pid, master } = execInContainer({ ...common, process: readProcess(processFile) });
      if (master !== undefined) streams.takeConsole(master);
      return pid;
    }
    const { kept, master } = await createContainer({ ...common, bundle: directory, noPivot: false, noNewKeyring: false, cgroupManager });
    if (master !== undefined) streams.takeConsole(master);
    return kept.pid;
  } catch (error) {
    if (!isEngineError(error)) return String(error);
    return error.hint === undefined ? error.message : `${error.message}\n${error.hint}`;
  } finally {
    streams.handedOver();
  }
}

/** What is left of a container that has ended. Whatever fails is for the next command to mend. */
export async function deleteInside({ id }: MonitorTask, { stateRoot }: RuntimeInside): Promise<void> {
  await deleteContainer(stateRoot, id, { force: true }).catch(() => undefined);
}
