import { expect, test } from 'vitest';
import { noArguments } from '../../cli/arguments.ts';
import { type Command, type CommandContext, defineCommand } from '../../cli/command.ts';
import { completionLines } from '../../cli/completion/complete.ts';
import { forEachName } from '../../cli/each.ts';
import { psFace } from '../../cli/faces/ps.ts';
import { runFace } from '../../cli/faces/run.ts';
import { stopFace } from '../../cli/faces/stop.ts';
import { findCommand } from '../../cli/find.ts';
import { commandHelp, helpFor } from '../../cli/help.ts';
import { logLine, terminalLogLine } from '../../cli/logline.ts';
import { type Group, isGroup, type Leaf, REGISTRY } from '../../cli/registry.ts';
import { EngineError } from '../../core/errors.ts';

const nothing = async (): Promise<void> => undefined;

function leaf(summary: string, command: Command, more: Partial<Leaf> = {}): Leaf {
  return { summary, load: async () => ({ command }), ...more };
}

const ps = leaf('List containers', defineCommand(psFace, nothing));
const stop = leaf('Stop containers', defineCommand(stopFace, nothing));
const run = leaf('Run a command', defineCommand(runFace, nothing));
const TREE: Group = {
  summary: 'Manage containers',
  commands: {
    ps,
    run,
    stop,
    push: leaf('Push', defineCommand({ usage: '', summary: '', flags: {}, args: noArguments }, nothing)),
    pod: { summary: 'Manage pods', commands: {} },
    container: { summary: 'Manage containers', commands: { stop, list: { ...ps, aliases: ['ls'] }, secret: { ...ps, hidden: true } } },
  },
};

function find(...argv: string[]): ReturnType<typeof findCommand> {
  return findCommand(TREE, argv, 'lichen');
}

test('words lead to a command, flags of the program may stand between them, aliases have the real name', () => {
  expect(find('ps', '-a')).toMatchObject({ kind: 'command', path: 'ps', rest: ['-a'] });
  expect(find('container', '--root', '/x', 'ls', 'y')).toMatchObject({ kind: 'command', path: 'container list', rest: ['y'] });
  expect(find('container')).toMatchObject({ kind: 'group', words: ['container'], help: false });
  expect(find('container', '--help')).toMatchObject({ kind: 'group', help: true });
  expect(find('container', 'nosuch', '--help')).toMatchObject({ kind: 'group', help: true });
});

test.each([
  [['nosuchcmd'], "Try 'lichen --help' for more information"],
  [['psx'], "\nDid you mean this?\n\tps\n\tpush\n\tpod\n\nTry 'lichen --help' for more information"],
  [['contaner'], "\nDid you mean this?\n\tcontainer\n\nTry 'lichen --help' for more information"],
  [['container', 'nosuch'], "Try 'lichen container --help' for more information"],
])('%j is no command', (argv, hint) => {
  expect(() => find(...argv)).toThrow(
    expect.objectContaining({ code: 'USAGE', message: `unrecognized command \`lichen ${argv.join(' ')}\``, hint }),
  );
});

test('names every object has are no commands', () => {
  expect(() => find('constructor')).toThrow('unrecognized command `lichen constructor`');
});

test('help of a group lists its commands in order, hidden ones left out', async () => {
  expect(await helpFor(TREE, ['container'], 'lichen', {})).toBe(`Manage containers

Description:
  Manage containers

Usage:
  lichen container [command]

Available Commands:
  list        List containers
  stop        Stop containers
`);
});

async function complete(...words: string[]): Promise<string[]> {
  const names = { container: ['web', 'db'], 'running-container': ['web'], image: ['alpine', 'busybox'] } as Record<string, string[]>;
  const lines = await completionLines(TREE, words, async (kind) => names[kind] ?? Promise.reject(new Error('no store')));
  return lines.map((line) => line.split('\t')[0]!);
}

test.each([
  [['p'], ['ps', 'push', 'pod']],
  [
    ['container', ''],
    ['stop', 'list'],
  ],
  [['stop', ''], ['web']],
  [['stop', '--time', '5', 'x', 'w'], ['web']],
  [['stop', '--ti'], ['--time']],
  [['stop', '-t', ''], []],
  [['ps', '--sort', 'na'], ['names']],
  [['ps', '--sort=na'], ['--sort=names']],
  [
    ['run', '--volumes-from', ''],
    ['web', 'db'],
  ],
  [['run', '--volumes-from=d'], ['--volumes-from=db']],
  [['run', '-it', 'al'], ['alpine']],
  [['run', 'alpine', '-'], []],
  [['run', '--env-file', ''], [':file']],
  [['run', '--network', ''], []],
  [['nosuch', ''], []],
  [['--root', '/x', 'ru'], ['run']],
  [['--runt'], ['--runtime', '--runtime-flag']],
])('completion of %j offers %j', async (words, offered) => {
  expect(await complete(...words)).toEqual(offered);
});

test('work on several names goes on after a failure; the last error is thrown', async () => {
  const out: string[] = [];
  const err: string[] = [];
  const printer = (lines: string[]): CommandContext['stdout'] =>
    ({ line: (text: string) => lines.push(text) }) as unknown as CommandContext['stdout'];
  const context = { stdout: printer(out), stderr: printer(err) } as CommandContext;
  const work = async (name: string): Promise<string> => {
    if (name.startsWith('bad')) throw new EngineError('NO_SUCH_CONTAINER', name);
    return name;
  };
  await expect(forEachName(context, ['a', 'bad1', 'b', 'bad2'], work)).rejects.toThrow('bad2');
  expect(out).toEqual(['a', 'b']);
  expect(err).toEqual(['Error: bad1']);
});

test('talk looks as from logrus', () => {
  expect(logLine('warn', 'a "b"', new Date(0))).toMatch(/^time="1970-01-01T\d\d:\d\d:00(Z|[+-]\d\d:\d\d)" level=warning msg="a \\"b\\""$/);
  expect(logLine('debug', 'word', new Date(0))).toMatch(/ level=debug msg=word$/);
  expect(terminalLogLine('error', 'text', 61.5)).toBe('\x1b[31mERRO\x1b[0m[0061] text');
});

/** Every command that help shows, with the words that lead to it. */
async function places(group: Group, path: readonly string[]): Promise<(readonly [string, Command])[]> {
  const found = Object.entries(group.commands).map(async ([name, entry]) => {
    if (entry.hidden === true) return [];
    const words = [...path, name];
    return isGroup(entry) ? await places(entry, words) : [[words.join(' '), (await entry.load()).command] as const];
  });
  return (await Promise.all(found)).flat();
}

test('every example in help is a line of the command it stands with', async () => {
  const examples = (await places(REGISTRY, [])).flatMap(([path, command]) => {
    const [, lines = ''] = /^Examples:\n((?: {2}.*\n)*)/m.exec(commandHelp(command, `lichen ${path}`)) ?? [];
    return lines
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => ({ path, line: line.trim() }));
  });
  expect(examples.length).toBeGreaterThan(200);
  expect(examples.filter(({ path, line }) => line !== `lichen ${path}` && !line.startsWith(`lichen ${path} `))).toEqual([]);
});
