import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

/** As it was built, which starts ten times as fast; else the sources. */
const [MAIN = ''] = ['dist/main.cjs', 'cli/main.ts']
  .map((path) => join(import.meta.dirname, '../..', path))
  .filter((path) => existsSync(path));

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function lichen(argv: readonly string[], env: Record<string, string> = {}): Promise<Outcome> {
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [MAIN, ...argv], { env: { ...process.env, ...env } });
    return { code: 0, stdout, stderr };
  } catch (error) {
    return error as Outcome;
  }
}

test.each([
  [['nosuchcmd'], 125, "Error: unrecognized command `lichen nosuchcmd`\nTry 'lichen --help' for more information\n"],
  [['--nosuch', 'version'], 125, "Error: unknown flag: --nosuch\nSee 'lichen --help'\n"],
  [['build', '--taget=x'], 125, "Error: unknown flag: --taget\nDid you mean --target?\nSee 'lichen build --help'\n"],
  [['version', '-Z'], 125, "Error: unknown shorthand flag: 'Z' in -Z\nSee 'lichen version --help'\n"],
  [['version', 'x'], 125, 'Error: `lichen version` takes no arguments\n'],
  [['completion'], 125, 'Error: accepts 1 arg(s), received 0\n'],
  [
    ['--log-level', 'foo', 'version'],
    1,
    'Log Level "foo" is not supported, choose from: trace, debug, info, warn, warning, error, fatal, panic\n',
  ],
  [['--remote', 'version'], 125, 'Error: --remote is not supported yet\n'],
  ...[
    ['--sbom', 'syft-cyclonedx'],
    ['--sbom-output=sbom.json', '--sbom-scanner-image', 'x'],
    ['--sbom-purl-output', 'x', '--sbom=trivy'],
  ].map(
    ([flag = '', ...words]) =>
      [
        ['build', flag, ...words, '.'],
        125,
        `Error: ${flag.replace(/=.*/, '')} is not supported yet\nA build runs no scanner. Scan the image when it is built: lichen save -o image.tar IMAGE && syft image.tar\n`,
      ] as [string[], number, string],
  ),
  [['version', '--imagestore=/x'], 125, 'Error: --imagestore is not supported yet\n'],
])('lichen %j ends with %i and says so on stderr only', async (argv, code, stderr) => {
  expect(await lichen(argv)).toMatchObject({ code, stdout: '', stderr });
});

test('without a command the help is printed, and the command is missed', async () => {
  const { code, stdout, stderr } = await lichen([]);
  expect(code).toBe(125);
  expect(stderr).toBe("Error: missing command 'lichen COMMAND'\n");
  expect(stdout).toContain('\nAvailable Commands:\n');
  expect(await lichen(['--help'])).toMatchObject({ code: 0, stderr: '', stdout });
});

test('messages call the program what the caller called it', async () => {
  const { stderr } = await lichen(['nosuchcmd'], { LICHEN_INVOKED_AS: 'docker' });
  expect(stderr).toBe("Error: unrecognized command `docker nosuchcmd`\nTry 'docker --help' for more information\n");
});

test.each(['podman', 'docker'])('called %s it has the version of the Podman it follows', async (name) => {
  const env = { LICHEN_INVOKED_AS: name };
  expect((await lichen(['--version'], env)).stdout).toBe('podman version 5.8.6\n');
  expect((await lichen(['version', '--format', '{{.Client.Version}}'], env)).stdout).toBe('5.8.6\n');
  expect((await lichen(['version', '--format', '{{.Server.Version}} {{.Version}}'], env)).stdout).toBe('5.8.6 5.8.6\n');
  expect((await lichen(['version'], env)).stdout).toMatch(/^Client: +Lichen Engine\nVersion: +5\.8\.6\nAPI Version: +5\.8\.6\nLichen: +\d/);
  expect((await lichen(['run', '--help'], env)).stdout).toContain(`\n  ${name} run [options] IMAGE [COMMAND [ARG...]]\n`);
});

test('the version is a table, JSON, or by template', async () => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string };
  expect((await lichen(['version'])).stdout).toContain(`\nVersion:       ${version}\n`);
  expect(JSON.parse((await lichen(['version', '-f', 'json'])).stdout)).toMatchObject({ Client: { Version: version, Os: 'linux' } });
  expect((await lichen(['version', '--format', '{{.Client.Version}}'])).stdout).toBe(`${version}\n`);
  expect((await lichen(['-v'])).stdout).toBe(`lichen version ${version}\n`);
});

test('--out sends data to a file, --noout nowhere', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'lichen-door-'));
  try {
    expect(await lichen(['--out', join(directory, 'out'), 'version'])).toMatchObject({ code: 0, stdout: '' });
    expect(readFileSync(join(directory, 'out'), 'utf8')).toContain('Version:');
    expect(await lichen(['--noout', 'version'])).toMatchObject({ code: 0, stdout: '', stderr: '' });
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('a reader that goes away ends the program quietly', async () => {
  const child = spawn(process.execPath, [MAIN, '--help'], { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.destroy();
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const code = await new Promise((resolve) => child.on('close', resolve));
  expect({ code, stderr }).toEqual({ code: 141, stderr: '' });
});

test('the bash completion script offers commands and cuts at = as bash does', async () => {
  const complete = async (line: string): Promise<string[]> => {
    const script = `lichen() { "${process.execPath}" "${MAIN}" "$@"; }
      eval "$(lichen completion bash)"
      compopt() { :; }
      COMP_LINE='${line}' COMP_POINT=${line.length}
      _complete_lichen
      printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout } = await promisify(execFile)('bash', ['-c', script]);
    return stdout.split('\n').filter((word) => word !== '');
  };
  expect(await complete('lichen vers')).toEqual(['version']);
  expect(await complete('lichen version --for')).toEqual(['--format']);
});
