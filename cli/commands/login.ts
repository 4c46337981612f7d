import { readFileSync } from 'node:fs';
import { EngineError } from '../../core/errors.ts';
import { currentLogin, defaultLoginKey, isValidLogin, logIn, notLoggedIn, parseLoginKey } from '../../libpod/registry/login.ts';
import type { Login } from '../../storage/registry/credentials.ts';
import { loginAccess } from '../authentication.ts';
import { type CommandContext, defineCommand } from '../command.ts';
import { loginFace } from '../faces/login.ts';
import { askLine, askSecret } from '../prompt.ts';

export const command = defineCommand(loginFace, async (context, [name], flags) => {
  const { verbose } = flags;
  const { stdout } = context;
  const secret = flags.secret ? await loginOfSecret(context, flags.secret, flags) : undefined;
  const username = secret?.username ?? flags.username ?? '';
  const access = await loginAccess(context, flags);
  const key = name === undefined ? defaultLoginKey(access.conf) : parseLoginKey(name);
  const current = await currentLogin(access, key);
  if (flags['get-login']) {
    if (current === undefined) throw notLoggedIn(key);
    stdout.line(current.username);
    return;
  }

  const password = secret?.password ?? (flags['password-stdin'] ? passwordFromStdin(flags) : (flags.password ?? ''));
  if (username === '' && password === '' && current !== undefined) {
    stdout.line(`Authenticating with existing credentials for ${key.key}`);
    if (await isValidLogin(access, key, current).catch(() => false)) {
      stdout.line(`Existing credentials are valid. Already logged in to ${key.registry}`);
      return;
    }
    stdout.line('Existing credentials are invalid, please enter valid username and password');
  }
  const place = await logIn(access, key, await complete(context, { username, password }, current?.username));
  if (verbose) stdout.line(`Used:  ${place}`);
  stdout.line('Login Succeeded!');
});

interface GivenLogin {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly 'password-stdin': boolean;
}

/** The only login that needs the store. Throws INVALID_ARGUMENT, NO_SUCH_SECRET, AMBIGUOUS_ID. */
async function loginOfSecret(context: CommandContext, name: string, given: GivenLogin): Promise<Login> {
  if (given.password) throw new EngineError('INVALID_ARGUMENT', '--secret can not be used with --password options');
  if (given['password-stdin']) throw new EngineError('INVALID_ARGUMENT', "can't specify both --password-stdin and --password");
  const engine = await context.openEngine();
  const { secretData } = await import('../../libpod/secret/create.ts');
  const data = await secretData(engine, engine.secrets.find(name));
  return { username: given.username || name, password: data.toString('utf8') };
}

/** All lines of stdin joined, as Podman reads it. */
function passwordFromStdin(flags: { readonly username?: string | undefined; readonly password?: string | undefined }): string {
  if (flags.password) throw new EngineError('INVALID_ARGUMENT', "can't specify both --password-stdin and --password");
  if (!flags.username) throw new EngineError('INVALID_ARGUMENT', 'must provide --username with --password-stdin');
  return readFileSync(0, 'utf8').replaceAll(/\r?\n/g, '');
}

/** Ask for what is missing. */
async function complete(context: CommandContext, given: Login, known: string | undefined): Promise<Login> {
  const username =
    given.username || (await ask('username', () => askLine(context, known ? `Username (${known}): ` : 'Username: '))).trim() || known;
  const password = given.password || (await ask('password', () => askSecret(context, 'Password: ')));
  return { username: (username ?? '').trim(), password };
}

async function ask(what: string, question: () => Promise<string | undefined>): Promise<string> {
  const failed = (why: string, cause?: unknown): EngineError =>
    new EngineError('INVALID_ARGUMENT', `getting username and password: reading ${what}: ${why}`, {
      cause,
      hint: 'Without a terminal: --username NAME --password-stdin.',
    });
  let answer;
  try {
    answer = await question();
  } catch (error) {
    throw error instanceof EngineError ? failed(error.message, error) : error;
  }
  if (answer === undefined) throw failed('EOF');
  return answer;
}
