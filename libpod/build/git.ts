/** A repository, checked out by the git of this machine. */
import { join } from 'node:path';
import type { GitPlace } from '../../build/git-url.ts';
import { EngineError, isEngineError } from '../../core/errors.ts';
import { runHelper, type HelperResult } from '../../host/process.ts';
import { removeTree } from '../../storage/tree/remove.ts';

export interface CheckoutOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly keepGitDirectory: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** Into an empty directory; resolves with the commit. Throws HELPER_MISSING, HELPER_FAILED (git's own words), ABORTED. */
export async function checkOut({ url, ref }: GitPlace, directory: string, options: CheckoutOptions): Promise<string> {
  const git = gitIn(directory, options);
  await git('init', '--quiet', '--template=');
  await git('remote', 'add', 'origin', url);
  const found = await fetched(git, ref);
  await git('checkout', '--quiet', '--detach', found);
  await git('submodule', 'update', '--quiet', '--init', '--recursive');
  const { stdout } = await git('rev-parse', 'HEAD');
  if (!options.keepGitDirectory) removeTree(join(directory, '.git'));
  return stdout.trim();
}

type Git = (...words: readonly string[]) => Promise<HelperResult>;

/** Only protocols of the net, no hooks, and nobody is asked for a password. */
const SETTINGS: Readonly<Record<string, string>> = {
  GIT_TERMINAL_PROMPT: '0',
  GIT_ALLOW_PROTOCOL: 'http:https:git:ssh',
  GIT_CONFIG_COUNT: '1',
  GIT_CONFIG_KEY_0: 'core.hooksPath',
  GIT_CONFIG_VALUE_0: '/dev/null',
  LC_ALL: 'C',
};

/** Of a repository that the caller stands in. */
const OF_ANOTHER = /^GIT_(DIR|WORK_TREE|INDEX_FILE|OBJECT_DIRECTORY|ALTERNATE_OBJECT_DIRECTORIES|COMMON_DIR|NAMESPACE|CONFIG_.*)$/;

function gitIn(cwd: string, { env, signal }: CheckoutOptions): Git {
  const kept = Object.fromEntries(Object.entries(env).filter(([name]) => !OF_ANOTHER.test(name)));
  return (...words) =>
    runHelper('git', words, { cwd, env: { ...kept, ...SETTINGS }, package: 'git', ...(signal === undefined ? {} : { signal }) });
}

/** What to check out. A server may give nothing by the digest of a commit, and an old one no history that is cut short: then all of it is fetched. */
async function fetched(git: Git, ref: string | undefined): Promise<string> {
  try {
    await git('fetch', '--quiet', '--depth=1', '--no-tags', 'origin', ref ?? 'HEAD');
    return 'FETCH_HEAD';
  } catch (error) {
    const isCommit = ref !== undefined && /^[0-9a-f]{7,64}$/.test(ref);
    const mayHelp = isEngineError(error, 'HELPER_FAILED') && (isCommit || error.message.includes('shallow'));
    if (!mayHelp) throw error;
    await git('fetch', '--quiet', 'origin', '+refs/heads/*:refs/remotes/origin/*', '+refs/tags/*:refs/tags/*', 'HEAD');
    if (ref === undefined) return 'FETCH_HEAD';
    return isCommit ? ref : await branchOrTag(git, ref);
  }
}

async function branchOrTag(git: Git, ref: string): Promise<string> {
  for (const name of [`refs/remotes/origin/${ref}`, `refs/tags/${ref}`]) {
    try {
      await git('rev-parse', '--quiet', '--verify', name);
      return name;
    } catch (error) {
      if (!isEngineError(error, 'HELPER_FAILED')) throw error;
    }
  }
  throw new EngineError('HELPER_FAILED', `git: the repository has no branch or tag ${JSON.stringify(ref)}`);
}
