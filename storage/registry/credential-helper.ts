/**
 * docker-credential-helpers: `docker-credential-NAME get|store|erase|list`, a document on stdin and one on stdout.
 * Secrets go through pipes only. A helper that hangs is ended, one that prints without end is cut off, and what it says is not repeated:
 * it may be a secret.
 */
import { EngineError } from '../../core/errors.ts';
import { parseJson } from '../../core/json.ts';
import { launch } from '../../host/process.ts';
import { findProgram } from '../../host/search.ts';

export type Credentials = { readonly username: string; readonly password: string } | { readonly identityToken: string };

/** What Docker calls docker.io. */
export const DOCKER_SERVER = 'https://index.docker.io/v1/';

export interface HelperOptions {
  readonly env: NodeJS.ProcessEnv;
  /** Default: 30 s. */
  readonly timeoutMs?: number | undefined;
}

const TIMEOUT_MS = 30_000;
const ANSWER_LIMIT_BYTES = 256 * 1024;
/** The library's words for a server without credentials: an answer, not a failure. */
const NOT_FOUND = /credentials not found|no credentials/i;

/** Undefined when it knows none. Throws CONFIG (a name that is none), HELPER_MISSING, HELPER_FAILED, TIMEOUT; so do the others. */
export async function askHelper(name: string, domain: string, options: HelperOptions): Promise<Credentials | undefined> {
  const { code, stdout } = await callHelper(name, 'get', serverOf(domain), options);
  if (code !== 0) {
    if (NOT_FOUND.test(stdout)) return undefined;
    throw failed(name, 'get', code);
  }
  const { Username: username, Secret: secret } = parseAnswer(name, stdout);
  if (typeof username !== 'string' || typeof secret !== 'string' || secret === '') return undefined;
  return username === '<token>' ? { identityToken: secret } : { username, password: secret };
}

export async function storeInHelper(
  name: string,
  domain: string,
  { username, password }: Extract<Credentials, { username: string }>,
  options: HelperOptions,
): Promise<void> {
  const input = JSON.stringify({ ServerURL: serverOf(domain), Username: username, Secret: password });
  const { code } = await callHelper(name, 'store', input, options);
  if (code !== 0) throw failed(name, 'store', code);
}

/** False when it had none. */
export async function eraseFromHelper(name: string, domain: string, options: HelperOptions): Promise<boolean> {
  const { code, stdout } = await callHelper(name, 'erase', serverOf(domain), options);
  if (code !== 0 && !NOT_FOUND.test(stdout)) throw failed(name, 'erase', code);
  return code === 0;
}

/** Registries that it has credentials for. */
export async function listHelper(name: string, options: HelperOptions): Promise<readonly string[]> {
  const { code, stdout } = await callHelper(name, 'list', '', options);
  if (code !== 0) throw failed(name, 'list', code);
  return Object.keys(parseAnswer(name, stdout)).map((server) => (server === DOCKER_SERVER ? 'docker.io' : server));
}

function serverOf(domain: string): string {
  return domain === 'docker.io' ? DOCKER_SERVER : domain;
}

async function callHelper(
  name: string,
  verb: string,
  input: string,
  { env, timeoutMs = TIMEOUT_MS }: HelperOptions,
): Promise<{ readonly code: number; readonly stdout: string }> {
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(name))
    throw new EngineError('CONFIG', `invalid credential helper name ${JSON.stringify(name.slice(0, 100))}`);
  const program = findProgram(`docker-credential-${name}`, [], env['PATH'] ?? '');
  if (program === undefined) {
    throw new EngineError('HELPER_MISSING', `credential helper docker-credential-${name} is not installed`, {
      hint: 'Install it, or take its name out of credHelpers and credsStore.',
    });
  }
  const helper = await launch(program, [verb], { stdio: ['pipe', 'pipe', 'ignore'], env });
  let failure: EngineError | undefined;
  const end = (error: EngineError): void => {
    failure ??= error;
    helper.kill('SIGKILL');
    // A child of its own may hold the pipe open.
    helper.pipe(1).destroy();
  };
  const late = setTimeout(
    () => end(new EngineError('TIMEOUT', `docker-credential-${name} ${verb} did not end within ${timeoutMs} ms`)),
    timeoutMs,
  );
  try {
    // One that does not read what it is told is not to blame for the broken pipe.
    helper
      .pipe(0)
      .on('error', () => undefined)
      .end(input);
    const stdout = await readAnswer(helper.pipe(1), () =>
      end(new EngineError('HELPER_FAILED', `docker-credential-${name} ${verb}: the answer is longer than ${ANSWER_LIMIT_BYTES} bytes`)),
    );
    const { code } = await helper.exited;
    if (failure !== undefined) throw failure;
    return { code, stdout };
  } finally {
    clearTimeout(late);
  }
}

async function readAnswer(pipe: AsyncIterable<Buffer>, tooLong: () => void): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of pipe) {
      size += chunk.length;
      if (size > ANSWER_LIMIT_BYTES) {
        tooLong();
        break;
      }
      chunks.push(chunk);
    }
  } catch {
    // Destroyed by whoever ended the helper, and told there.
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseAnswer(name: string, text: string): Readonly<Record<string, unknown>> {
  let answer: unknown;
  try {
    answer = parseJson(text, '', 'HELPER_FAILED');
  } catch {
    answer = undefined;
  }
  if (typeof answer !== 'object' || answer === null || Array.isArray(answer))
    throw new EngineError('HELPER_FAILED', `docker-credential-${name}: the answer is not a JSON object`);
  return answer as Readonly<Record<string, unknown>>;
}

function failed(name: string, verb: string, code: number): EngineError {
  return new EngineError('HELPER_FAILED', `docker-credential-${name} ${verb}: exit status ${code}`);
}
