/** `run`: a container from its creation to its end. */
import { createContainer, type CreateRequest } from '../../runtime/create.ts';
import { deleteContainer, startContainer } from '../../runtime/operate.ts';
import { attendTo } from './attend.ts';

/** Its exit status. Throws EngineError. */
export async function runContainer(
  request: CreateRequest,
  { detach, keep }: { readonly detach: boolean; readonly keep: boolean },
): Promise<number> {
  const { kept, master } = await createContainer(request);
  try {
    await startContainer(request.root, request.id);
  } catch (error) {
    await deleteContainer(request.root, request.id, { force: true });
    throw error;
  }
  if (detach) return 0;
  const status = await attendTo(kept.pid, master);
  if (!keep) await deleteContainer(request.root, request.id, { force: true });
  return status;
}
