/** The systemd that keeps the user's units: his own, or the machine's for root. Looked for, never required. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Identity } from './identity.ts';
import { runHelper } from './process.ts';

/** One that does not answer must not hold up a container. */
const TIMEOUT_MS = 10_000;

/** Words that make systemctl and systemd-run speak to it; undefined where there is none. A look at one file. */
export function managerScope({ rootless }: Pick<Identity, 'rootless'>, env: NodeJS.ProcessEnv): readonly string[] | undefined {
  const socket = rootless ? join(env['XDG_RUNTIME_DIR'] ?? '/nonexistent', 'systemd/private') : '/run/systemd/private';
  if (!existsSync(socket)) return undefined;
  return rootless ? ['--user'] : [];
}

/** Throws HELPER_MISSING, HELPER_FAILED (what it said), TIMEOUT. */
export async function systemctl(scope: readonly string[], words: readonly string[]): Promise<void> {
  await runHelper('systemctl', [...scope, '--quiet', ...words], { timeoutMs: TIMEOUT_MS });
}

/** What it prints. Throws the same. */
export async function systemctlOutput(scope: readonly string[], words: readonly string[]): Promise<string> {
  return (await runHelper('systemctl', [...scope, ...words], { timeoutMs: TIMEOUT_MS })).stdout;
}

/** The same. */
export async function systemdRun(scope: readonly string[], words: readonly string[]): Promise<void> {
  await runHelper('systemd-run', [...scope, '--quiet', ...words], { timeoutMs: TIMEOUT_MS });
}
