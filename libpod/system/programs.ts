/** What `info` tells of other programs: where they are, which version, which package brought them. */
import { EngineError } from '../../core/errors.ts';
import { log } from '../../core/log.ts';
import { runHelper } from '../../host/process.ts';
import { findProgram } from '../../host/search.ts';

export interface HelperFacts {
  readonly path: string;
  readonly version: string;
  readonly package: string;
}

const TIMEOUT_MS = 5000;
const UNKNOWN = 'Unknown';

/** Empty texts where the program is not there. Never throws. */
export async function describeHelper(path: string | undefined): Promise<HelperFacts> {
  if (path === undefined) return { path: '', version: '', package: '' };
  const [version, owner] = await Promise.all([say(path, ['--version']), packageOf(path)]);
  return { path, version: version?.replace(/\n$/, '') ?? '', package: owner };
}

/** `crun_1.28-1_amd64` by dpkg, `crun-1.28-1.fc42.x86_64` by rpm. */
async function packageOf(path: string): Promise<string> {
  const dpkg = findProgram('dpkg-query');
  if (dpkg !== undefined) {
    const owner = (await say(dpkg, ['--search', path]))?.split(':')[0];
    if (owner === undefined) return UNKNOWN;
    // dpkg knows the name; the program that replaced it in an alternative's place is not looked for.
    return (await say(dpkg, ['--show', '--showformat=${Package}_${Version}_${Architecture}', owner])) ?? UNKNOWN;
  }
  const rpm = findProgram('rpm');
  return rpm === undefined ? UNKNOWN : ((await say(rpm, ['--query', '--file', path])) ?? UNKNOWN).trim();
}

async function say(program: string, args: readonly string[]): Promise<string | undefined> {
  try {
    // crun makes a directory of its own in the session's, whatever it is asked.
    const env = { ...process.env, XDG_RUNTIME_DIR: undefined };
    return (await runHelper(program, args, { env, timeoutMs: TIMEOUT_MS })).stdout;
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    log.debug(error.message);
    return undefined;
  }
}
