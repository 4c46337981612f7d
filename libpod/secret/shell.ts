/** Secrets kept by commands of the user: each runs in a shell with SECRET_ID in its environment, data on stdin or stdout, our stderr. */
import { EngineError } from '../../core/errors.ts';
import { MemoryFile } from '../../host/pipe.ts';
import { launch } from '../../host/process.ts';
import { noData, SECRET_LIMIT_BYTES, type SecretDriver } from './driver.ts';

const COMMANDS = ['list', 'lookup', 'store', 'delete'] as const;
const STDERR = 2;

/** Throws INVALID_ARGUMENT unless there is a command for each of list, lookup, store and delete, and nothing else. */
export function shellDriver(options: Readonly<Record<string, string>>, env: NodeJS.ProcessEnv): SecretDriver {
  for (const key of Object.keys(options)) {
    if (!(COMMANDS as readonly string[]).includes(key)) {
      throw new EngineError('INVALID_ARGUMENT', `invalid shell driver option: ${JSON.stringify(key)}`);
    }
  }
  if (COMMANDS.some((key) => !options[key])) throw new EngineError('INVALID_ARGUMENT', 'missing config value');
  const run = (key: (typeof COMMANDS)[number], id: string, input?: Buffer): Promise<Outcome> => runShell(options[key]!, id, env, input);
  return {
    options,
    store: async (id, data) => {
      const { code } = await run('store', id, data);
      if (code !== 0) throw new EngineError('HELPER_FAILED', `exit status ${code}`);
    },
    lookUp: async (id) => {
      const { code, output } = await run('lookup', id);
      if (code !== 0) throw noData(id);
      return output;
    },
    remove: async (id) => {
      const { code } = await run('delete', id);
      if (code !== 0) throw noData(id);
    },
  };
}

interface Outcome {
  readonly code: number;
  readonly output: Buffer;
}

async function runShell(command: string, id: string, env: NodeJS.ProcessEnv, input: Buffer = Buffer.alloc(0)): Promise<Outcome> {
  using stdin = new MemoryFile(input);
  using stdout = new MemoryFile();
  const { exited } = await launch('/bin/sh', ['-c', command], {
    stdio: [stdin.fd, stdout.fd, STDERR],
    env: { ...env, SECRET_ID: id },
  });
  const { code } = await exited;
  return { code, output: stdout.bytes(SECRET_LIMIT_BYTES) };
}
