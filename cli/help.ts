/** Help in Podman's layout, printed from the same tables that parse. */
import { formatDuration } from '../core/duration.ts';
import type { CommandFace } from './command.ts';
import type { Flag, FlagTable } from './flag.ts';
import { findEntry, type Group, isGroup } from './registry.ts';

/** Help for the command or group the words name; for the program where they name nothing. */
export async function helpFor(root: Group, words: readonly string[], program: string, globals: FlagTable): Promise<string> {
  let group = root;
  const path = [program];
  for (const word of words) {
    const found = findEntry(group, word);
    if (found === undefined) break;
    path.push(found.name);
    if (!isGroup(found.entry)) return commandHelp((await found.entry.load()).command, path.join(' '));
    group = found.entry;
  }
  return group === root ? rootHelp(root, program, globals) : groupHelp(group, path.join(' '));
}

/** An example begins with as much of the command's own path as it is found under everywhere; elsewhere its first word stands for that path. */
function fullExample(path: string, example: string): string {
  const words = path.split(' ');
  const own = words.findIndex((_, index) => index > 0 && `${example} `.startsWith(`${words.slice(index).join(' ')} `));
  return own < 0 ? path + example.slice(example.split(' ', 1)[0]!.length) : [...words.slice(0, own), example].join(' ');
}

/** `path` is the program's word and the command's: `lichen container stop`. */
export function commandHelp(face: CommandFace, path: string): string {
  const parts = [
    face.summary,
    section('Description:', [face.description ?? face.summary]),
    section('Usage:', [`${path} ${face.usage}`.trimEnd()]),
  ];
  if (face.examples !== undefined) {
    parts.push(
      section(
        'Examples:',
        face.examples.map((example) => fullExample(path, example)),
      ),
    );
  }
  const options = flagLines(face.flags);
  if (options.length > 0) parts.push(['Options:', ...options].join('\n'));
  return `${parts.join('\n\n')}\n`;
}

function groupHelp(group: Group, path: string): string {
  const usage = section('Usage:', [`${path} [command]`]);
  return `${[group.summary, section('Description:', [group.summary]), usage, availableCommands(group.commands)].join('\n\n')}\n`;
}

function rootHelp(group: Group, program: string, flags: FlagTable): string {
  const usage = section('Usage:', [`${program} [options] [command]`]);
  const withHelp = { ...group.commands, help: { summary: 'Help about any command' } };
  const options = ['Options:', ...flagLines({ ...flags, help: { kind: 'bool', help: `Help for ${program}` } })].join('\n');
  return `${[group.summary, usage, availableCommands(withHelp), options].join('\n\n')}\n`;
}

function section(title: string, lines: readonly string[]): string {
  return [title, ...lines.flatMap((line) => line.split('\n')).map((line) => `  ${line}`.trimEnd())].join('\n');
}

function availableCommands(commands: Readonly<Record<string, { readonly summary: string; readonly hidden?: boolean }>>): string {
  const shown = Object.entries(commands)
    .filter(([, entry]) => entry.hidden !== true)
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  const width = Math.max(11, ...shown.map(([name]) => name.length));
  return ['Available Commands:', ...shown.map(([name, entry]) => `  ${name.padEnd(width)} ${entry.summary}`)].join('\n');
}

/** One flag a line, in alphabetical order, help texts aligned. */
function flagLines(table: FlagTable): string[] {
  const shown = Object.entries(table)
    .filter(([, flag]) => flag.hidden !== true)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, flag]) => ({ left: flagName(name, flag), flag }));
  const width = Math.max(0, ...shown.map(({ left }) => left.length));
  const indent = `\n${' '.repeat(width + 3)}`;
  return shown.map(({ left, flag }) => `${left.padEnd(width)}   ${flag.help.replaceAll('\n', indent)}${remark(flag)}`.trimEnd());
}

function flagName(name: string, flag: Flag): string {
  const short = flag.short === undefined ? '    ' : `-${flag.short}, `;
  const bare = flag.bare === undefined ? '' : `[="${flag.bare}"]`;
  const kind = flag.kind === 'bool' || flag.kind === 'count' ? '' : ` ${flag.placeholder ?? flag.kind}`;
  return `  ${short}--${name}${kind}${bare}`;
}

function remark(flag: Flag): string {
  if (flag.unsupported === true) return ' (not supported yet)';
  if (flag.kind === 'duration' && typeof flag.default === 'number') return ` (default ${formatDuration(flag.default)})`;
  const value = flag.default ?? flag.shownDefault;
  if (value === undefined || value === false || value === '') return '';
  if (Array.isArray(value)) return ` (default [${value.join(',')}])`;
  return typeof value === 'string' ? ` (default "${value}")` : ` (default ${String(value)})`;
}
