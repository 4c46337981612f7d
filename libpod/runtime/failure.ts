/** What a runtime said, turned into the error a Podman user knows: 127 for a command that is not there, 126 for one that may not be run. */
import { EngineError } from '../../core/errors.ts';

/** `text` is the runtime's message without prefixes: from its JSON log, or from the monitor. */
export function runtimeError(runtimeName: string, text: string): EngineError {
  const said = text.trim().replace(/^(?:error|fatal): /i, '');
  const message = said === '' ? `${runtimeName} failed and said nothing` : `${runtimeName}: ${said}`;
  if (/no such file or directory|not found|does not exist/i.test(said)) {
    return new EngineError('COMMAND_NOT_FOUND', `${message}: OCI runtime attempted to invoke a command that was not found`, {
      exitCode: 127,
    });
  }
  if (/permission denied|operation not permitted|is a directory|exec format error/i.test(said)) {
    return new EngineError('COMMAND_NOT_EXECUTABLE', `${message}: OCI permission denied`, { exitCode: 126 });
  }
  return new EngineError('HELPER_FAILED', `OCI runtime error: ${message}`, { exitCode: 126 });
}

/** What runc means with a line of its log on stderr. */
export function spokenError(text: string): string | undefined {
  const [, quoted] = /\blevel=(?:error|fatal) msg=("(?:[^"\\]|\\.)*")/.exec(text) ?? [];
  return quoted === undefined ? undefined : (JSON.parse(quoted) as string);
}

/**
 * The last error in a runtime's `--log-format json` file: crun writes pretty-printed objects one after another, runc one a line.
 * Undefined when it holds none.
 */
export function lastLoggedError(log: string): string | undefined {
  let found: string | undefined;
  for (const chunk of log.split(/\}\s*(?=\{|$)/)) {
    if (chunk.trim() === '') continue;
    try {
      const entry = JSON.parse(`${chunk}}`) as { level?: string; msg?: string };
      if (entry.level === 'error' && typeof entry.msg === 'string') found = entry.msg;
    } catch {
      found ??= chunk.trim();
    }
  }
  return found;
}
