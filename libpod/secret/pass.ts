/** Secrets as pass(1) keeps them: one file each, encrypted with GnuPG for a key of the user. */
import { existsSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { EngineError } from '../../core/errors.ts';
import { MemoryFile } from '../../host/pipe.ts';
import { launch } from '../../host/process.ts';
import { noData, SECRET_LIMIT_BYTES, type SecretDriver } from './driver.ts';

const KEYS = ['root', 'key', 'gpghomedir'];

/** `root` is the password store (default ~/.password-store), `key` whom to encrypt for (default: what its .gpg-id says). Throws INVALID_ARGUMENT. */
export function passDriver(options: Readonly<Record<string, string>>, env: NodeJS.ProcessEnv): SecretDriver {
  for (const key of Object.keys(options)) {
    if (!KEYS.includes(key)) throw new EngineError('INVALID_ARGUMENT', `invalid pass driver option: ${JSON.stringify(key)}`);
  }
  const root = options['root'] ?? defaultRoot(env);
  const key = options['key'] ?? keyOf(root);
  const home = options['gpghomedir'];
  const fileOf = (id: string): string => join(root ?? '', `${id}.gpg`);
  const gpg = (args: readonly string[], input?: Buffer): Promise<Outcome> =>
    runGpg(home === undefined ? args : ['--homedir', home, ...args], env, input);
  return {
    options,
    store: async (id, data) => {
      mkdirSync(dirname(fileOf(id)), { recursive: true, mode: 0o700 });
      const { code } = await gpg(['--encrypt', '-r', key ?? '', '-o', fileOf(id)], data);
      if (code === 0) return;
      rmSync(fileOf(id), { force: true });
      throw new EngineError('HELPER_FAILED', `exit status ${code}`);
    },
    lookUp: async (id) => {
      if (!existsSync(fileOf(id))) throw noData(id);
      const { code, output } = await gpg(['--decrypt', fileOf(id)]);
      if (code !== 0) throw new EngineError('HELPER_FAILED', `exit status ${code}`);
      return output;
    },
    remove: async (id) => {
      if (!existsSync(fileOf(id))) throw noData(id);
      rmSync(fileOf(id));
    },
  };
}

function defaultRoot(env: NodeJS.ProcessEnv): string | undefined {
  const root = join(env['HOME'] ?? '/', '.password-store');
  return statSync(root, { throwIfNoEntry: false })?.isDirectory() ? root : undefined;
}

function keyOf(root: string | undefined): string | undefined {
  try {
    return root === undefined ? undefined : readFileSync(join(root, '.gpg-id'), 'utf8').trim();
  } catch {
    return undefined;
  }
}

interface Outcome {
  readonly code: number;
  readonly output: Buffer;
}

async function runGpg(args: readonly string[], env: NodeJS.ProcessEnv, input: Buffer = Buffer.alloc(0)): Promise<Outcome> {
  using stdin = new MemoryFile(input);
  using stdout = new MemoryFile();
  using stderr = new MemoryFile();
  const { exited } = await launch('gpg', args, { stdio: [stdin.fd, stdout.fd, stderr.fd], env, package: 'gpg' });
  const { code } = await exited;
  return { code, output: stdout.bytes(SECRET_LIMIT_BYTES) };
}
