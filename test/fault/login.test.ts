import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openLog } from '../../core/log.ts';
import type { RegistryAccess } from '../../libpod/registry/access.ts';
import { logIn, parseLoginKey } from '../../libpod/registry/login.ts';
import { loadRegistriesConf } from '../../storage/registries.ts';
import { eraseCredentials, openCredentials, storeCredentials, type CredentialPlaces } from '../../storage/registry/credentials.ts';

const LOGIN = { username: 'user', password: 'hunter2' };
const SECRET = Buffer.from('user:hunter2').toString('base64');

let root: string;
let logged: string[];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lichen-login-'));
  logged = [];
  openLog('debug', (_, message) => logged.push(message));
});
afterEach(() => {
  rmSync(root, { recursive: true });
  expect(logged.join('\n')).not.toMatch(new RegExp(`hunter2|${SECRET}`));
});

interface Served extends AsyncDisposable {
  readonly host: string;
  readonly seen: { readonly url: string; readonly authorization: string | undefined }[];
}

async function serve(answer: (request: http.IncomingMessage, response: http.ServerResponse, host: string) => void): Promise<Served> {
  const seen: Served['seen'] = [];
  const server = http.createServer((request, response) => {
    seen.push({ url: request.url!, authorization: request.headers.authorization });
    answer(request, response, host);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    host,
    seen,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A registry that wants a token of `realm`, by default of itself, where `token` answers. */
const wantsToken =
  (token: (response: http.ServerResponse) => void, realm?: string) =>
  (request: http.IncomingMessage, response: http.ServerResponse, host: string): void => {
    if (request.url!.startsWith('/token')) token(response);
    else if (request.headers.authorization === 'Bearer good') response.end('{}');
    else response.writeHead(401, { 'www-authenticate': `Bearer realm="${realm ?? `http://${host}/token`}",service="s"` }).end();
  };

async function access(credentials: Partial<CredentialPlaces> = {}): Promise<RegistryAccess> {
  const env = { HOME: root, XDG_RUNTIME_DIR: root, PATH: root };
  return {
    conf: await loadRegistriesConf({ config: root, system: join(root, 'system'), env }),
    credentials: { env, helperTimeoutMs: 300, ...credentials },
    certificates: { config: root, system: [], env },
    tlsVerify: undefined,
  };
}

const file = (): string => join(root, 'containers/auth.json');

describe('login with a registry that', () => {
  test('gives a token keeps the credentials', async () => {
    await using registry = await serve(wantsToken((response) => response.end('{"token":"good"}')));
    await logIn(await access(), parseLoginKey(registry.host), LOGIN);
    expect(JSON.parse(readFileSync(file(), 'utf8'))).toEqual({ auths: { [registry.host]: { auth: SECRET } } });
    expect(registry.seen.filter(({ url }) => url.startsWith('/token'))).toEqual([
      { url: '/token?service=s&account=user', authorization: `Basic ${SECRET}` },
    ]);
  });

  test.each([
    ['another host', (port: string) => `http://127.0.0.2:${port}/token`],
    ['a name for this machine', (port: string) => `http://localhost:${port}/token`],
    ['an IPv6-mapped address', (port: string) => `http://[::ffff:127.0.0.2]:${port}/token`],
    ['the metadata service', () => 'http://169.254.169.254/latest'],
    ['a URL with credentials', (port: string) => `http://a:b@127.0.0.1:${port}/token`],
    ['a file', () => 'file:///etc/passwd'],
  ])('sends us for a token to %s is refused, and nothing goes there (G06)', async (_, realm) => {
    await using stranger = await serve((_request, response) => void response.end('{"token":"good"}'));
    await using registry = await serve(wantsToken((response) => response.end(), realm(stranger.host.split(':')[1]!)));
    await expect(logIn(await access(), parseLoginKey(registry.host), LOGIN)).rejects.toMatchObject({ code: 'REGISTRY_ERROR' });
    expect(stranger.seen).toEqual([]);
    expect(existsSync(file())).toBe(false);
  });

  test.each<[string, (response: http.ServerResponse) => void, string]>([
    ['without end', (response) => floodUntilClosed(response), 'longer than'],
    ['that is no JSON', (response) => void response.end('<html>'), 'not JSON'],
    ['with a redirect', (response) => void response.writeHead(307, { location: 'http://127.0.0.2/' }).end(), 'must not'],
    ['of a token that is not accepted', (response) => void response.end('{"token":"bad"}'), 'invalid username/password'],
    ['of 401', (response) => void response.writeHead(401).end(), 'invalid username/password'],
    ['of 500 with an escape sequence', (response) => void response.writeHead(500).end('\u001b[2J'), '500 Internal Server Error'],
  ])('answers for the token %s ends in one clear error (G07)', async (_, token, words) => {
    await using registry = await serve(wantsToken(token));
    await expect(logIn(await access(), parseLoginKey(registry.host), LOGIN)).rejects.toMatchObject({
      message: expect.stringContaining(words),
    });
    expect(registry.seen.length).toBeLessThan(8);
    expect(existsSync(file())).toBe(false);
  });

  test('redirects to another host gets no credentials sent there (G04)', async () => {
    await using stranger = await serve((_request, response) => void response.end('{}'));
    await using registry = await serve((request, response) => {
      if (request.headers.authorization === undefined) response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
      else response.writeHead(307, { location: `http://${stranger.host}/v2/` }).end();
    });
    await logIn(await access(), parseLoginKey(registry.host), LOGIN).catch(() => undefined);
    expect(stranger.seen.map(({ authorization }) => authorization)).toEqual([undefined]);
  });

  test('redirects for ever is given up (G04)', async () => {
    await using registry = await serve((request, response, host) => {
      if (request.headers.authorization === undefined) response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
      else response.writeHead(302, { location: `http://${host}/v2/` }).end();
    });
    await expect(logIn(await access(), parseLoginKey(registry.host), LOGIN)).rejects.toMatchObject({
      message: expect.stringContaining('stopped after 10 redirects'),
    });
    expect(existsSync(file())).toBe(false);
  });
});

describe('a credential helper (G15)', () => {
  function helper(name: string, script: string): void {
    writeFileSync(join(root, `docker-credential-${name}`), `#!/bin/sh\nPATH=/usr/bin:/bin\n${script}\n`, { mode: 0o755 });
  }
  const places = async (name: string): Promise<CredentialPlaces> => (await access({ helpers: [name] })).credentials;

  test.each(['../../x', ';sh', 'a b', '', '-x', '/bin/sh', 'x\u0000y'])('named %j is never looked for', async (name) => {
    for (const work of [
      async () => storeCredentials(await places(name), 'x.test', LOGIN),
      async () => eraseCredentials(await places(name), 'x.test'),
      async () => openCredentials(await places(name)).find('x.test'),
    ]) {
      await expect(work()).rejects.toMatchObject({ code: 'CONFIG', message: expect.stringContaining('invalid credential helper name') });
    }
  });

  test.each<[string, string, string]>([
    ['hangs', 'exec sleep 60', 'TIMEOUT'],
    ['hangs behind a child that holds its output', 'sleep 2 & wait', 'TIMEOUT'],
    ['prints without end', 'exec cat /dev/zero', 'HELPER_FAILED'],
    ['prints its megabytes and ends', 'head -c 5000000 /dev/zero', 'HELPER_FAILED'],
    ['fails and shows a secret', 'echo hunter2; echo hunter2 >&2; exit 1', 'HELPER_FAILED'],
    ['answers with half a document', 'printf \'{"Secret":"hunter2\'', 'HELPER_FAILED'],
    ['answers with a list', 'echo "[1]"', 'HELPER_FAILED'],
  ])('that %s ends in one clear error', async (_, script, code) => {
    helper('bad', script);
    const failure = await openCredentials(await places('bad'))
      .find('x.test')
      .then(
        () => undefined,
        (error: unknown) => error,
      );
    expect(failure).toMatchObject({ code });
    expect((failure as Error).message).not.toContain('hunter2');
  });

  test('that does not read its input is no reason to break', async () => {
    helper('deaf', 'exec <&-; exit 0');
    expect(await storeCredentials(await places('deaf'), 'x.test', { username: 'u', password: 'x'.repeat(200_000) })).toBe(
      'credential helper: deaf',
    );
  });

  test('that fails to keep the credentials leaves the file as it was', async () => {
    helper('bad', 'exit 1');
    const { env } = (await access()).credentials;
    const authFile = join(root, 'auth.json');
    writeFileSync(authFile, '{"credHelpers":{"x.test":"bad"}}', { mode: 0o600 });
    await expect(storeCredentials({ env, authFile }, 'x.test', LOGIN)).rejects.toMatchObject({ code: 'HELPER_FAILED' });
    expect(readFileSync(authFile, 'utf8')).toBe('{"credHelpers":{"x.test":"bad"}}');
    expect(readdirSync(root).filter((name) => name.startsWith('auth.json'))).toEqual(['auth.json']);
  });

  test("of Docker's that is not installed does not keep others from their credentials", async () => {
    const { env } = (await access()).credentials;
    const authFile = join(root, 'auth.json');
    writeFileSync(authFile, '{"credsStore":"lichen-nosuch"}', { mode: 0o600 });
    expect(await openCredentials({ env, authFile }).find('x.test')).toBeUndefined();
    expect(logged.join('\n')).toContain('docker-credential-lichen-nosuch is not installed');
  });
});

describe('an auth file (G15)', () => {
  test('in a directory that cannot be written to is an error, and nothing is left', async () => {
    const { env } = (await access()).credentials;
    const authFile = join(root, 'not-a-directory/auth.json');
    writeFileSync(join(root, 'not-a-directory'), '');
    await expect(storeCredentials({ env, authFile }, 'x.test', LOGIN)).rejects.toMatchObject({
      code: 'CONFIG',
      message: expect.stringContaining(`writing auth file ${JSON.stringify(authFile)}`),
    });
  });

  test('takes a change although a killed process left its lock and half a file', async () => {
    const { env } = (await access()).credentials;
    const authFile = join(root, 'auth.json');
    writeFileSync(authFile, '{"auths":{"y.test":{"auth":"YTpi"}}}', { mode: 0o600 });
    writeFileSync(`${authFile}.lock`, '');
    symlinkSync(join(root, 'elsewhere'), `${authFile}.new`);
    await storeCredentials({ env, authFile }, 'x.test', LOGIN);
    expect(Object.keys((JSON.parse(readFileSync(authFile, 'utf8')) as { auths: object }).auths)).toEqual(['y.test', 'x.test']);
    expect(readdirSync(root)).toEqual(['auth.json']);
  });

  test.each(['a directory', 'more than 1 MiB', 'a list', 'nested 100000 deep'])('that is %s is refused', async (kind) => {
    const { env } = (await access()).credentials;
    const authFile = join(root, 'auth.json');
    const content = { 'more than 1 MiB': ' '.repeat(2 ** 20 + 1), 'a list': '[]', 'nested 100000 deep': '['.repeat(100_000) }[kind];
    writeFileSync(authFile, content ?? '', { mode: 0o600 });
    const path = kind === 'a directory' ? root : authFile;
    chmodSync(root, 0o700);
    await expect(openCredentials({ env, authFile: path }).find('x.test')).rejects.toMatchObject({ code: 'CONFIG' });
  });

  test('with keys that every object has gives nobody their credentials', async () => {
    const { env } = (await access()).credentials;
    const authFile = join(root, 'auth.json');
    writeFileSync(authFile, `{"auths":{"__proto__":{"x.test":{"auth":"${SECRET}"}}},"__proto__":{"credsStore":"x"}}`, { mode: 0o600 });
    expect(await openCredentials({ env, authFile }).find('x.test')).toBeUndefined();
    expect(await openCredentials({ env, authFile }).find('constructor')).toBeUndefined();
  });

  test('and --creds are for the registry, not for the hosts that it names', async () => {
    const { env } = (await access()).credentials;
    const source = openCredentials({ env, creds: 'user:hunter2' });
    expect(await source.find('x.test')).toEqual(LOGIN);
    expect(await source.findStored('stranger.test')).toBeUndefined();
  });
});

function floodUntilClosed(response: http.ServerResponse): void {
  const chunk = Buffer.alloc(2 ** 16, 0x20);
  const write = (): void => {
    while (!response.destroyed && response.write(chunk));
    if (!response.destroyed) response.once('drain', write);
  };
  write();
}
