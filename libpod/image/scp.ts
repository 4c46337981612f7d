/**
 * `image scp`: `save` at one end, `load` at the other, and a pipe between. Our own store is reached through ourselves, another user of this
 * machine through sudo, another machine through ssh; there lichen is started or, where there is none, Podman.
 */
import { pipeline } from 'node:stream/promises';
import { EngineError } from '../../core/errors.ts';
import { launch, type Launched } from '../../host/process.ts';
import { findUser } from '../../host/user.ts';
import type { ScpEnd } from './scp-ends.ts';

export interface ScpRequest {
  /** argv that starts lichen on our own store. */
  readonly self: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly from: ScpEnd;
  readonly to: ScpEnd;
  readonly quiet: boolean;
}

/** To be called outside of any user namespace. What the other end prints goes to our stdout and stderr. Throws HELPER_MISSING (sudo, ssh), NO_SUCH_USER, HELPER_FAILED. */
export async function copyBetween({ self, env, from, to, quiet }: ScpRequest): Promise<void> {
  const flags = quiet ? ['--quiet'] : [];
  const saving = reach(self, from, ['save', ...flags, from.image]);
  const loading = reach(self, to, ['load', ...flags]);
  const [source, sink] = [
    await start(saving, ['ignore', 'pipe', 'inherit'], env),
    await start(loading, ['pipe', 'inherit', 'inherit'], env),
  ];
  // Whichever end fails says so itself; the broken pipe is only the consequence.
  await pipeline(source.pipe(1), sink.pipe(0)).catch(() => undefined);
  const [saved, loaded] = [await source.exited, await sink.exited];
  if (saved.code !== 0) throw failed(saving, saved.code);
  if (loaded.code !== 0) throw failed(loading, loaded.code);
}

interface Reach {
  readonly program: string;
  readonly args: readonly string[];
  readonly package?: string;
}

function reach(self: readonly string[], { host, user }: ScpEnd, words: readonly string[]): Reach {
  if (host === undefined) {
    const [program, ...args] = self;
    return { program: program!, args: [...args, ...words] };
  }
  const script = `command -v lichen >/dev/null && exec lichen "$@"; exec podman "$@"`;
  if (host === 'localhost') {
    const name = user ?? 'root';
    if (!findUser(name)) throw new EngineError('NO_SUCH_USER', `user: unknown user ${name}`);
    // A login's environment: the other user's store is found by HOME and XDG_RUNTIME_DIR, not ours.
    return { program: 'sudo', args: ['--login', '--user', name, '--', 'sh', '-c', script, 'sh', ...words], package: 'sudo' };
  }
  const remote = ['sh', '-c', script, 'sh', ...words].map(quoted).join(' ');
  return { program: 'ssh', args: ['-T', ...(user === undefined ? [] : ['-l', user]), '--', host, remote], package: 'openssh-client' };
}

/** ssh hands one line to the shell of the other side. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

function start(
  { program, args, package: packageName }: Reach,
  stdio: readonly ('ignore' | 'pipe' | 'inherit')[],
  env: NodeJS.ProcessEnv,
): Promise<Launched> {
  return launch(program, args, { stdio, env, ...(packageName === undefined ? {} : { package: packageName }) });
}

function failed({ program, args }: Reach, code: number): EngineError {
  return new EngineError('HELPER_FAILED', `${[program, ...args].join(' ')}: exit status ${code}`);
}
