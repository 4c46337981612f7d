/** Programs that a configuration calls at certain moments (config.md#posix-platform-hooks). They read the container's state from stdin. */
import { setTimeout as sleep } from 'node:timers/promises';
import { EngineError } from '../core/errors.ts';
import { log } from '../core/log.ts';
import type { Deputy } from '../host/deputy/deputy.ts';
import { OUT } from '../host/deputy/layout.ts';
import { MemoryFile } from '../host/pipe.ts';
import { runHelper } from '../host/process.ts';
import type { Config, Hook, HookKind } from './config.ts';
import type { State } from './store.ts';

const WNOHANG = 1;
const SIGKILL = 9;

/** In our own namespaces, one after another. Throws HELPER_FAILED, HELPER_MISSING, TIMEOUT. */
export async function runHooks(config: Config, kind: HookKind, state: State): Promise<void> {
  for (const hook of config.hooks?.[kind] ?? []) await runHook(hook, state);
}

/** The same for those whose failure changes nothing: it is told, and the next one runs (runtime.md#lifecycle). */
export async function runHooksAnyway(config: Config, kind: 'poststart' | 'poststop', state: State): Promise<void> {
  for (const hook of config.hooks?.[kind] ?? []) {
    try {
      await runHook(hook, state);
    } catch (error) {
      log.warn(`${kind} hook ${hook.path}: ${(error as Error).message}`);
    }
  }
}

async function runHook(hook: Hook, state: State): Promise<void> {
  await runHelper(hook.path, (hook.args ?? []).slice(1), {
    env: Object.fromEntries((hook.env ?? []).map((word) => [word.split('=', 1)[0]!, word.slice(word.indexOf('=') + 1)])),
    input: JSON.stringify(state),
    cwd: state.bundle,
    ...(hook.timeout === undefined ? {} : { timeoutMs: hook.timeout * 1000 }),
  });
}

/** In the deputy's namespaces, with our stderr. Throws HELPER_FAILED, TIMEOUT. */
export async function runInnerHooks(deputy: Deputy, config: Config, kind: HookKind, state: State): Promise<void> {
  for (const hook of config.hooks?.[kind] ?? []) await runInnerHook(deputy, hook, kind, state);
}

async function runInnerHook(deputy: Deputy, hook: Hook, kind: HookKind, state: State): Promise<void> {
  using input = new MemoryFile(JSON.stringify(state));
  const stdin = deputy.give(input.fd);
  const stderr = deputy.give(2);
  const pid = deputy.spawn({ path: hook.path, args: hook.args ?? [hook.path], env: hook.env ?? [] }, [stdin, stderr, stderr]);
  const deadline = hook.timeout === undefined ? Infinity : Date.now() + hook.timeout * 1000;
  for (let waitMs = 1; ; waitMs = Math.min(2 * waitMs, 20)) {
    const { result, out } = deputy.query('wait4', [pid, OUT, WNOHANG, null], 4);
    if (result === pid) {
      const status = out.readInt32LE(0);
      if (status !== 0) throw new EngineError('HELPER_FAILED', `${kind} hook ${hook.path}: exit status ${status & 0x7f || status >> 8}`);
      break;
    }
    if (Date.now() > deadline) {
      deputy.attempt('kill', [pid, SIGKILL]);
      throw new EngineError('TIMEOUT', `${kind} hook ${hook.path} did not end within ${hook.timeout} s`);
    }
    await sleep(waitMs);
  }
  for (const fd of [stdin, stderr]) deputy.call('close', [fd]);
}
