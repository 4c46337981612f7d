import { rmSync } from 'node:fs';
import { removeNetworkNamespace } from '../host/namespaces.ts';
import { signalProcess, waitForEnd } from '../host/pid.ts';
import type { NetworkAttachment } from './backend.ts';

const SIGKILL = 9;
const END_TIMEOUT_MS = 5000;

/**
 * End what any backend started. Needs neither the helper's program nor its options, so it works after an upgrade or removal.
 * Idempotent; a helper that is gone, or whose pid belongs to another process now, is fine.
 * Where ports were published it resolves when whoever listens is gone, so that they can be taken again at once; otherwise the helper is left to die:
 * the kernel needs 20 ms to take its tap device apart, and nobody has to wait for that.
 */
export async function teardownAttachment({
  helper,
  holdsPorts,
  forwarder,
}: Pick<NetworkAttachment, 'helper' | 'holdsPorts' | 'forwarder'>): Promise<void> {
  await Promise.all([end(helper, holdsPorts === true), end(forwarder?.helper, true)]);
}

/** They keep nothing that they would have to put in order. */
async function end(helper: NetworkAttachment['helper'], wait: boolean): Promise<void> {
  if (helper !== undefined && signalProcess(helper, SIGKILL) && wait) await waitForEnd(helper, END_TIMEOUT_MS);
}

/** What lies beside a namespace while it is being made: pasta's pid, and what early.ts keeps. */
const NOTES = ['pid', 'begun', 'said', 'status'] as const;

/** Let go of a namespace that no helper holds, and of all that lies beside it. Idempotent. */
export function clearNamespace(netns: string): void {
  removeNetworkNamespace(netns);
  clearNotes(netns);
}

export function clearNotes(netns: string): void {
  for (const note of NOTES) rmSync(`${netns}.${note}`, { force: true });
}
