import { existsSync, lstatSync, readdirSync, statSync } from 'node:fs';
import { chmod, rm, symlink } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort, testHost, type TestHost } from '../host/host.ts';
import { canRunRegistry, startRegistry, type Registry } from '../host/registry.ts';

const USER = 'lichen';
const PASSWORD = 'throw-away';
const AUTH = Buffer.from(`${USER}:${PASSWORD}`).toString('base64');

/** Keeps what it is told in a file beside it, and notes what it was asked in another. */
const HELPER = `#!/bin/sh
dir=\${0%/*}
printf '%s ' "$@" >> "$dir/asked"
input=$(cat)
case $1 in
  get) if [ -f "$dir/kept" ]; then cat "$dir/kept"; else echo 'credentials not found in native keychain'; exit 1; fi ;;
  store) printf %s "$input" > "$dir/kept" ;;
  erase) if [ -f "$dir/kept" ]; then rm "$dir/kept"; else echo 'credentials not found in native keychain'; exit 1; fi ;;
  list) echo '{}' ;;
esac
`;

describe.skipIf(!canRunRegistry)('login and logout', () => {
  let host: TestHost;
  let secure: Registry;
  let open: Registry;
  let home: string;
  let standard: string;

  beforeAll(async () => {
    host = await testHost();
    [secure, open] = await Promise.all([startRegistry(host, { secure: true }), startRegistry(host)]);
    home = host.user.home;
    standard = `${host.user.runtimeDir}/containers/auth.json`;
    await host.writeFile(`${home}/.config/containers/certs.d/${secure.name}/ca.crt`, secure.ca!);
    await host.writeFile(`${home}/bin/docker-credential-box`, HELPER, 0o755);
  });
  afterAll(async () => {
    await host[Symbol.asyncDispose]();
  });

  const json = async (path: string): Promise<unknown> => JSON.parse(await host.readFile(path));
  const withHelper = { env: { PATH: `/usr/bin:/bin` } };
  const pathWithHelper = () => ({ env: { ...withHelper.env, PATH: `${home}/bin:/usr/bin:/bin` } });
  const login = (args: readonly string[], input = PASSWORD) => host.lichen(['login', '-u', USER, '--password-stdin', ...args], { input });

  test('credentials that the registry takes are kept for the user alone, used by it, and forgotten again', async () => {
    expect(await login([secure.name])).toMatchObject({ stdout: 'Login Succeeded!\n', stderr: '', exitCode: 0 });
    expect(await host.readFile(standard)).toBe(`{\n\t"auths": {\n\t\t"${secure.name}": {\n\t\t\t"auth": "${AUTH}"\n\t\t}\n\t}\n}`);
    expect(statSync(host.path(standard)).mode & 0o7777).toBe(0o600);
    expect(readdirSync(host.path(`${host.user.runtimeDir}/containers`))).toEqual(['auth.json']);
    expect(await host.succeed(['login', '--get-login', secure.name])).toBe(USER);
    expect(await host.succeed(['login', secure.name])).toBe(
      `Authenticating with existing credentials for ${secure.name}\nExisting credentials are valid. Already logged in to ${secure.name}`,
    );
    const pulled = await host.lichen(['pull', '--retry', '0', `${secure.name}/none:1`]);
    expect(pulled.stderr).toMatch(/manifest unknown|name unknown/);
    const creds = ['pull', '--retry', '0', '--creds', `${USER}:${PASSWORD}`, `${secure.name}/none:1`];
    const debugged = await host.lichen(['--log-level', 'debug', ...creds]);
    expect(debugged.stderr).toContain(`GET https://${secure.name}/v2/`);
    for (const secret of [PASSWORD, AUTH]) expect(debugged.stderr).not.toContain(secret);
    expect(await host.succeed(['logout', secure.name])).toBe(`Removed login credentials for ${secure.name}`);
    expect(await host.readFile(standard)).toBe('{\n\t"auths": {}\n}');
    expect(await host.lichen(['logout', secure.name])).toMatchObject({ stderr: `Error: not logged into ${secure.name}\n`, exitCode: 125 });
    expect(await host.lichen(['login', '--get-login', secure.name])).toMatchObject({
      stderr: `Error: not logged into ${secure.name}\n`,
      exitCode: 125,
    });
  });

  test('nothing is written for a wrong password, an unknown CA or a registry that is not there', async () => {
    await host.writeFile(`${home}/a.json`, '{"auths":{"x.test":{"auth":"YTpi"}},"other":[1]}', 0o600);
    const before = await host.readFile(`${home}/a.json`);
    expect(await login(['--authfile', 'a.json', secure.name], 'wrong')).toMatchObject({
      stdout: '',
      stderr: `Error: logging into "${secure.name}": invalid username/password\n`,
      exitCode: 125,
    });
    const dead = `127.0.0.1:${await freePort()}`;
    expect(await login(['--authfile', 'a.json', '--tls-verify=false', dead])).toMatchObject({
      stderr: `Error: authenticating creds for "${dead}": pinging container registry ${dead}: Get "http://${dead}/v2/": dial tcp ${dead}: connect: connection refused\n`,
      exitCode: 125,
    });
    await host.writeFile(`${home}/empty/note`, '');
    const unknown = await login(['--authfile', 'a.json', '--cert-dir', `${home}/empty`, secure.name]);
    expect(unknown.stderr).toContain('certificate signed by unknown authority');
    expect(await host.readFile(`${home}/a.json`)).toBe(before);
    expect(await login(['--authfile', 'none/b.json', secure.name], 'wrong')).toMatchObject({ exitCode: 125 });
    expect(existsSync(host.path(`${home}/none`))).toBe(false);
  });

  test('a repository has a key of its own, the nearest one counts, and foreign fields of the file stay', async () => {
    await host.writeFile(`${home}/r.json`, '{"auths":{"x.test":{"auth":"YTpi"}},"other":[1]}', 0o644);
    expect(await login(['-v', '--authfile', 'r.json', `${secure.name}/team/app`])).toMatchObject({
      stdout: 'Used:  r.json\nLogin Succeeded!\n',
    });
    expect(await json(`${home}/r.json`)).toEqual({
      auths: { 'x.test': { auth: 'YTpi' }, [`${secure.name}/team/app`]: { auth: AUTH } },
      other: [1],
    });
    expect(statSync(host.path(`${home}/r.json`)).mode & 0o777).toBe(0o600);
    expect(await host.succeed(['login', '--authfile', 'r.json', '--get-login', `${secure.name}/team/app/deep`])).toBe(USER);
    for (const other of [secure.name, `${secure.name}/team`]) {
      expect((await host.lichen(['login', '--authfile', 'r.json', '--get-login', other])).exitCode).toBe(125);
    }
    expect(await host.succeed(['logout', '--authfile', 'r.json', '--all'])).toBe('Removed login credentials for all registries');
    expect(await json(`${home}/r.json`)).toEqual({ auths: {}, other: [1] });
  });

  test('a secret is the password, its name the user unless another is given', async () => {
    await host.writeFile(`${home}/password`, PASSWORD);
    for (const name of [USER, 'other']) await host.succeed(['secret', 'create', name, `${home}/password`]);
    const bySecret = (...args: readonly string[]) => host.lichen(['login', '--authfile', 's.json', ...args, secure.name]);
    expect(await bySecret('--secret', 'other')).toMatchObject({
      stderr: `Error: logging into "${secure.name}": invalid username/password\n`,
      exitCode: 125,
    });
    expect(existsSync(host.path(`${home}/s.json`))).toBe(false);
    for (const args of [
      ['--secret', USER],
      ['--secret', 'other', '-u', USER],
    ]) {
      expect(await bySecret(...args)).toMatchObject({ stdout: 'Login Succeeded!\n', stderr: '', exitCode: 0 });
      expect(await json(`${home}/s.json`)).toEqual({ auths: { [secure.name]: { auth: AUTH } } });
      await host.succeed(['logout', '--authfile', 's.json', secure.name]);
    }
    await host.succeed(['secret', 'rm', USER, 'other']);
  });

  test.each<[string[], string]>([
    [['127.0.0.1:5000/team/app:1'], 'reference "127.0.0.1:5000/team/app:1" contains tag or digest'],
    [['127.0.0.1:5000/Team'], 'parse reference from "127.0.0.1:5000/Team": invalid reference format: repository name must be lowercase'],
    [['bad host'], 'invalid registry name "bad host"'],
    [['-u', 'x', '-p', 'y', '--', '-rm'], 'invalid registry name "-rm"'],
    [['a//b'], 'parse reference from "a//b": invalid reference format: invalid reference format'],
    [['https://user:hunter2@quay.io/'], 'the URL of quay.io holds credentials: use --username and --password-stdin'],
    [['-p', 'x', '--password-stdin', '-u', 'x', 'x.test'], "can't specify both --password-stdin and --password"],
    [['--password-stdin', 'x.test'], 'must provide --username with --password-stdin'],
    [
      ['--authfile', 'a', '--compat-auth-file', 'b', 'x.test'],
      'options for paths to the credential file and to the Docker-compatible credential file can not be set simultaneously',
    ],
    [['a', 'b'], 'accepts at most 1 arg(s), received 2'],
    [[], 'no registries found in registries.conf, a registry must be provided'],
    [['--secret', 'x', '-p', 'y', 'x.test'], '--secret can not be used with --password options'],
    [['--secret', 'x', '--password-stdin', 'x.test'], "can't specify both --password-stdin and --password"],
    [['--secret', 'x', 'x.test'], 'no secret with name or id "x": no such secret'],
    [['-u', 'x', 'x.test'], 'getting username and password: reading password: no terminal to ask at'],
    [['x.test'], 'getting username and password: reading username: no terminal to ask at'],
  ])('login %j is refused (G16)', async (args, words) => {
    const { stderr, exitCode } = await host.lichen(['login', ...args]);
    expect(stderr.split('\n')[0]).toBe(`Error: ${words}`);
    expect(stderr).not.toContain('hunter2');
    expect(exitCode).toBe(125);
  });

  test('logout says what is wrong in the words of Podman', async () => {
    for (const [args, words] of [
      [['--all', 'x.test'], '--all takes no arguments'],
      [['a', 'b'], 'accepts at most 1 arg(s), received 2'],
      [['--authfile', '/nosuch', 'x.test'], 'credential file is not accessible: faccessat /nosuch: no such file or directory'],
    ] as const) {
      expect(await host.lichen(['logout', ...args])).toMatchObject({ stderr: `Error: ${words}\n`, exitCode: 125 });
    }
  });

  test('without a registry the first search registry is meant; a URL means its host', async () => {
    const conf = `${home}/registries.conf`;
    await host.writeFile(conf, `unqualified-search-registries = ["${open.name}", "x.test"]\n`);
    const env = { CONTAINERS_REGISTRIES_CONF: conf, REGISTRY_AUTH_FILE: `${home}/default.json` };
    expect(await host.lichen(['login', '-u', 'any', '-p', 'one'], { env })).toMatchObject({ stdout: 'Login Succeeded!\n' });
    expect(Object.keys(((await json(`${home}/default.json`)) as { auths: object }).auths)).toEqual([open.name]);
    expect(await host.succeed(['login', '--get-login', `http://${open.name}/v2/`], { env })).toBe('any');
    expect(await host.succeed(['logout'], { env })).toBe(`Removed login credentials for ${open.name}`);
    await host.writeFile(conf, `[[registry]]\nlocation = "${open.name}"\nblocked = true\n`);
    const blocked = await host.lichen(['login', '-u', 'any', '-p', 'one', open.name], { env });
    expect(blocked.stderr).toContain(`registry ${open.name} is blocked in`);
  });

  test("Docker's login counts, and is left to Docker", async () => {
    await host.writeFile(`${home}/.docker/config.json`, JSON.stringify({ auths: { [`https://${secure.name}`]: { auth: AUTH } } }), 0o600);
    expect(await host.succeed(['login', '--get-login', secure.name])).toBe(USER);
    expect(await host.lichen(['logout', secure.name])).toMatchObject({
      stdout: `Not logged into ${secure.name} with current tool. Existing credentials were established via docker login. Please use docker logout instead.\n`,
      exitCode: 0,
    });
    await rm(host.path(`${home}/.docker`), { recursive: true });
    expect((await host.lichen(['login', '--get-login', secure.name])).exitCode).toBe(125);
    await host.writeFile(`${home}/elsewhere/config.json`, JSON.stringify({ auths: { [secure.name]: { auth: AUTH } } }), 0o600);
    expect(await host.succeed(['--config', `${home}/elsewhere`, 'login', '--get-login', secure.name])).toBe(USER);
  });

  test("Docker's file is written as Docker reads it", async () => {
    await host.writeFile(`${home}/compat.json`, '{"HttpHeaders":{"x":"y"},"auths":{}}', 0o600);
    expect(await login(['--compat-auth-file', 'compat.json', secure.name])).toMatchObject({ stdout: 'Login Succeeded!\n' });
    expect(await json(`${home}/compat.json`)).toEqual({ auths: { [secure.name]: { auth: AUTH } }, HttpHeaders: { x: 'y' } });
    expect(await login(['--compat-auth-file', 'compat.json', `${secure.name}/team`])).toMatchObject({
      stderr: `Error: Credentials cannot be recorded in Docker-compatible format with namespaced key "${secure.name}/team"\n`,
      exitCode: 125,
    });
    expect(await host.succeed(['logout', '--compat-auth-file', 'compat.json', secure.name])).toBe(
      `Removed login credentials for ${secure.name}`,
    );
    expect(await json(`${home}/compat.json`)).toEqual({ auths: {}, HttpHeaders: { x: 'y' } });
  });

  test.each(['credHelpers', 'credential-helpers'])('a helper named in %s keeps the secret instead of the file', async (where) => {
    const file = `${home}/helped.json`;
    await rm(host.path(`${home}/bin/asked`), { force: true });
    await rm(host.path(file), { force: true });
    const { env } = pathWithHelper();
    const settings: Record<string, string> = { ...env, REGISTRY_AUTH_FILE: file };
    if (where === 'credHelpers') await host.writeFile(file, JSON.stringify({ credHelpers: { [secure.name]: 'box' } }), 0o600);
    else {
      await host.writeFile(`${home}/helpers.conf`, 'credential-helpers = ["box"]\n');
      settings['CONTAINERS_REGISTRIES_CONF'] = `${home}/helpers.conf`;
    }
    const options = { env: settings };
    const told = await host.lichen(['--log-level', 'debug', 'login', '-v', '-u', USER, '--password-stdin', secure.name], {
      ...options,
      input: PASSWORD,
    });
    expect(told).toMatchObject({ stdout: 'Used:  credential helper: box\nLogin Succeeded!\n', exitCode: 0 });
    expect(told.stderr).toContain('docker-credential-box');
    for (const secret of [PASSWORD, AUTH]) expect(told.stderr).not.toContain(secret);
    expect(await json(`${home}/bin/kept`)).toEqual({ ServerURL: secure.name, Username: USER, Secret: PASSWORD });
    expect(await host.succeed(['login', '--get-login', secure.name], options)).toBe(USER);
    expect(await host.succeed(['logout', secure.name], options)).toBe(`Removed login credentials for ${secure.name}`);
    expect(existsSync(host.path(`${home}/bin/kept`))).toBe(false);
    expect((await host.readFile(`${home}/bin/asked`)).trim().split(' ')).toEqual(['get', 'store', 'get', 'erase']);
    expect((await host.lichen(['logout', secure.name], options)).exitCode).toBe(125);
  });

  test('at a terminal it asks, does not show the password, and puts the terminal right also when interrupted', async () => {
    const tty = { tty: true } as const;
    const script = `stty -a > before; lichen login --authfile t.json ${secure.name}; echo "status $?"; stty -a > after`;
    const shell = (text: string) => ['/bin/sh', '-c', `PATH=/opt/lichen/bin:$PATH; ${text}`];
    await using asked = host.spawn(shell(script), tty);
    await asked.waitForOutput(/Username: /);
    asked.write(`${USER}\n`);
    await asked.waitForOutput(/Password: /);
    asked.write(`${PASSWORD}\n`);
    await asked.waitForOutput(/status 0/);
    await asked.finished;
    expect(asked.stdout).toContain('Login Succeeded!');
    expect(asked.stdout).not.toContain(PASSWORD);
    expect(await host.readFile(`${home}/after`)).toBe(await host.readFile(`${home}/before`));

    await using cut = host.spawn(
      shell(`trap : INT; stty -a > before; lichen login -u x --authfile u.json ${secure.name}; stty -a > after; echo ended`),
      tty,
    );
    await cut.waitForOutput(/Password: /);
    cut.write('secret\x03');
    await cut.waitForOutput(/ended/);
    await cut.finished;
    expect(cut.stdout).not.toContain('secret');
    expect(await host.readFile(`${home}/after`)).toBe(await host.readFile(`${home}/before`));
    expect(existsSync(host.path(`${home}/u.json`))).toBe(false);
  });

  test('a file that others can read is told of, one that all can write is refused, somebody else’s link is not followed (G15)', async () => {
    const file = `${home}/g15.json`;
    await host.writeFile(file, JSON.stringify({ auths: { [secure.name]: { auth: AUTH } } }), 0o644);
    const read = await host.lichen(['login', '--authfile', 'g15.json', '--get-login', secure.name]);
    expect(read).toMatchObject({ stdout: `${USER}\n`, exitCode: 0 });
    expect(read.stderr).toContain('can be read by other users');
    await chmod(host.path(file), 0o666);
    for (const args of [
      ['login', '--get-login', secure.name],
      ['logout', secure.name],
    ]) {
      const { stderr, exitCode } = await host.lichen([args[0]!, '--authfile', 'g15.json', ...args.slice(1)]);
      expect(stderr).toMatch(/reading auth file "g15.json": everybody may write to it\nRun: chmod 600/);
      expect(exitCode).toBe(125);
    }
    await chmod(host.path(file), 0o600);
    await host.run(['ln', '-s', 'g15.json', `${home}/own.json`]);
    expect(await login(['--authfile', 'own.json', open.name])).toMatchObject({ exitCode: 0 });
    expect(lstatSync(host.path(`${home}/own.json`)).isSymbolicLink()).toBe(true);
    expect(await host.readFile(file)).toContain(open.name);
    if (process.getuid!() !== 0) return;
    await symlink(`${home}/stolen.json`, host.path(`${home}/planted.json`));
    const planted = await login(['--authfile', 'planted.json', open.name]);
    expect(planted.stderr).toContain('is a symbolic link that belongs to another user');
    expect(existsSync(host.path(`${home}/stolen.json`))).toBe(false);
  });

  test('a broken file is named and left as it is, without a word of what is in it (G15)', async () => {
    await host.writeFile(`${home}/broken.json`, `{"auths": {"${secure.name}": {"auth": hunter2`, 0o600);
    for (const args of [
      ['login', '-u', USER, '-p', PASSWORD, secure.name],
      ['logout', secure.name],
      ['logout', '--all'],
    ]) {
      const { stderr, exitCode } = await host.lichen([args[0]!, '--authfile', 'broken.json', ...args.slice(1)]);
      expect(stderr).toContain('reading JSON file "broken.json": not valid JSON');
      expect(stderr).not.toContain('hunter2');
      expect(exitCode).toBe(125);
    }
    expect(await host.readFile(`${home}/broken.json`)).toContain('hunter2');
  });

  test('many at once lose nobody’s entry', async () => {
    const keys = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => `${open.name}/${name}`);
    await Promise.all(keys.map((key) => host.succeed(['login', '-u', 'x', '-p', 'y', '--authfile', 'many.json', key])));
    expect(Object.keys(((await json(`${home}/many.json`)) as { auths: object }).auths).toSorted()).toEqual(keys);
    expect(readdirSync(host.path(home)).filter((name) => name.startsWith('many.json'))).toEqual(['many.json']);
  });

  test('neither store nor namespaces are made for it', async () => {
    await using other = await testHost();
    expect((await other.lichen(['login', '--get-login', 'x.test'])).stderr).toBe('Error: not logged into x.test\n');
    expect((await other.lichen(['logout', 'x.test'])).exitCode).toBe(125);
    expect(existsSync(other.path(other.store))).toBe(false);
    expect(other.processes()).toEqual([]);
  });
});
