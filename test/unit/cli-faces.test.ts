import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { CommandFace } from '../../cli/command.ts';
import type { Flag } from '../../cli/flag.ts';
import { commandHelp } from '../../cli/help.ts';
import { splitArguments } from '../../cli/split.ts';

type PodmanFlags = Readonly<Record<string, Readonly<Record<string, { readonly short?: string; readonly type: string }>>>>;

const podman = JSON.parse(readFileSync(new URL('../fixtures/podman-flags.json', import.meta.url), 'utf8')) as PodmanFlags;
const directory = new URL('../../cli/faces/', import.meta.url);
const faces = new Map<string, CommandFace>();
for (const file of readdirSync(directory)) {
  if (file.startsWith('shared')) continue;
  const module = (await import(new URL(file, directory).href)) as Record<string, CommandFace>;
  faces.set(commandOf(file.replace(/\.ts$/, '')), Object.values(module)[0]!);
}

/** `image-trust-set` is `image trust set`; `auto-update` is one word. */
function commandOf(name: string): string {
  return Object.keys(podman).find((path) => path.replaceAll(' ', '-') === name) ?? name;
}

/** pflag's types that we read alike. */
const SAME: Readonly<Record<string, string>> = { int32: 'int', ip: 'string', ipSlice: 'strings', choice: 'string' };

/** Flags of Docker's that Podman has not. */
const OF_DOCKER: Readonly<Record<string, readonly string[]>> = {
  build: ['attest', 'call', 'check', 'metadata-file', 'no-cache-filter', 'progress', 'provenance', 'push'],
};

/** Podman's own hidden flags are not in its table. */
function visibleFlags(path: string): [string, Flag][] {
  return Object.entries(faces.get(path)!.flags).filter(([name, { hidden }]) => hidden !== true && OF_DOCKER[path]?.includes(name) !== true);
}

test('every face is of a command that Podman has', () => {
  expect([...faces.keys()].filter((path) => podman[path] === undefined)).toEqual([]);
});

test.each([...faces.keys()])("%s has all of Podman's flags, with their kinds and letters", (path) => {
  const ours = Object.fromEntries(
    visibleFlags(path).map(([name, flag]) => [name, { ...(flag.short && { short: flag.short }), type: SAME[flag.kind] ?? flag.kind }]),
  );
  const theirs = Object.fromEntries(
    Object.entries(podman[path]!).map(([name, flag]) => [name, { ...flag, type: SAME[flag.type] ?? flag.type }]),
  );
  expect(ours).toEqual(theirs);
});

test.each([
  ['rm', [], 'you must provide at least one name or id'],
  ['rm', ['-a', 'x'], 'no arguments are needed with --all'],
  ['stop', ['--all', '--latest'], '--all and --latest cannot be used together'],
  ['stop', ['--all', '--cidfile', '/x'], '--all, --latest, and --cidfile cannot be used together'],
  ['stop', ['--latest', 'x'], '--latest and containers cannot be used together'],
  ['stop', ['--cidfile', '/x', 'y'], 'no arguments are needed with --latest or --cidfile'],
  ['stop', ['--cidfile', '/x'], undefined],
  ['run', [], 'requires at least 1 arg(s), only received 0'],
  ['rename', ['a', 'b', 'c'], 'accepts 2 arg(s), received 3'],
  ['import', [], 'accepts between 1 and 2 arg(s), received 0'],
  ['images', ['a', 'b'], 'accepts at most 1 arg(s), received 2'],
  ['ps', ['a'], '`lichen ps` takes no arguments'],
  ['exec', [], 'exec requires the name or ID of a container or the --latest or --cidfile flag'],
  ['exec', ['-l'], undefined],
  ['attach', ['a', 'b'], '`lichen attach` accepts at most one argument'],
  ['wait', [], '"lichen wait" requires a name, id, or the "--latest" flag'],
  ['logs', [], 'specify at least one container name or ID to log'],
  ['start', [], 'start requires at least one argument'],
  ['start', ['-a', 'x', 'y'], 'you cannot start and attach multiple containers at once'],
  ['port', [], 'you must supply a running container name or id'],
  ['top', [], 'you must provide the name or id of a running container'],
  ['inspect', [], 'no names or ids specified'],
  ['rmi', [], 'image name or ID must be specified'],
  ['rmi', ['-a', 'x'], 'when using the --all switch, you may not pass any images names or IDs'],
  ['volume rm', [], 'choose either one or more volumes or all'],
  ['volume inspect', ['-a', 'x'], 'provide one or more volume names or use --all'],
])('%s %j: %s', (path, argv, complaint) => {
  const { flags, args, interspersed = true } = faces.get(path)!;
  const split = splitArguments(flags, argv, { interspersed, path });
  expect(args({ args: split.positionals, path, program: 'lichen', flags: split.values })).toBe(complaint);
});

test('letters are unique within a command', () => {
  for (const [path, { flags }] of faces) {
    const letters = Object.values(flags).flatMap(({ short }: Flag) => short ?? []);
    expect(new Set(letters).size, path).toBe(letters.length);
  }
});

test('help shows usage, examples and aligned flags with their defaults', () => {
  expect(commandHelp(faces.get('stop')!, 'lichen container stop')).toBe(`Stop running containers

Description:
  Send the container's stop signal, and SIGKILL to what still runs after --time seconds.

Usage:
  lichen container stop [options] CONTAINER [CONTAINER...]

Examples:
  lichen container stop ctrID
  lichen container stop --time 2 wolfMoon

Options:
  -a, --all                   Act on all containers
      --cidfile stringArray   Read the id of a container from a file
  -f, --filter stringArray    Act only on what matches (key=value)
  -i, --ignore                A container that does not exist is no error
  -l, --latest                Act on the container created last
  -t, --time int              Seconds between the stop signal and SIGKILL (default 10)
`);
});

test('a duration that is the default is written as one types it', () => {
  expect(commandHelp(faces.get('system check')!, 'lichen system check')).toContain(
    'Age from which layers that nothing uses are damage (default 24h0m0s)\n',
  );
});

test('help of a command without flags has no section for them', () => {
  expect(commandHelp(faces.get('rename')!, 'lichen rename')).not.toContain('Options:');
});
