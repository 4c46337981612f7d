import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { CommandFace } from '../../cli/command.ts';
import { findCommand } from '../../cli/find.ts';
import { REGISTRY } from '../../cli/registry.ts';

/** Of the flags of the commands that say something to or of containers, at most so many percent may be refused. */
const REFUSED_PERCENT = 3;
/** Groups of commands with budgets of their own. */
const APART = /^build$|^(?:manifest|artifact|image|network|pod|kube|quadlet|farm|machine|generate) /;

const podman = JSON.parse(readFileSync(new URL('../fixtures/podman-flags.json', import.meta.url), 'utf8')) as Record<string, object>;
const directory = new URL('../../cli/faces/', import.meta.url);
const files = readdirSync(directory).filter((file) => !file.startsWith('shared'));
const [flagTable = '', commandTable = ''] = readFileSync(new URL('../../docs/differences.md', import.meta.url), 'utf8')
  .split('## Flags')[1]!
  .split('## Commands');

interface Used {
  readonly command: string;
  readonly flag: string;
  readonly unsupported: boolean;
}

const used = (await Promise.all(files.map(flagsIn))).flat();
const refused = used.filter(({ unsupported }) => unsupported).map(({ command, flag }) => `${command} --${flag}`);

async function flagsIn(file: string): Promise<Used[]> {
  const [face] = Object.values((await import(new URL(file, directory).href)) as Record<string, CommandFace>);
  const name = file.replace(/\.ts$/, '');
  const command = Object.keys(podman).find((path) => path.replaceAll(' ', '-') === name) ?? name;
  return Object.entries(face!.flags).map(([flag, { unsupported = false }]) => ({ command, flag, unsupported }));
}

/** The words in backquotes of each cell, row by row. */
function rowsOf(table: string): string[][][] {
  const rows = table.split('\n').filter((line) => line.startsWith('| `'));
  return rows.map((row) => row.split('|').map((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, word = '']) => word)));
}

function isThere(path: string): boolean {
  try {
    findCommand(REGISTRY, path.split(' '), 'lichen');
    return true;
  } catch {
    return false;
  }
}

test('every flag that is refused stands in docs/differences.md, and no other', () => {
  const listed = rowsOf(flagTable).flatMap(([, flags = [], commands = []]) =>
    commands.flatMap((command) => flags.filter((flag) => isFlagOf(command, flag)).map((flag) => `${command} --${flag}`)),
  );
  expect(listed.toSorted()).toEqual(refused.toSorted());
});

/** A row stands for several flags of several commands, which need not all have all of them. */
function isFlagOf(command: string, flag: string): boolean {
  return used.some((one) => one.command === command && one.flag === flag);
}

test('few flags are refused', () => {
  const counted = used.filter(({ command }) => !APART.test(command));
  expect((100 * counted.filter(({ unsupported }) => unsupported).length) / counted.length).toBeLessThan(REFUSED_PERCENT);
});

test('every command of Podman is there or stands in docs/differences.md, and no other', () => {
  const listed = rowsOf(commandTable).flatMap(([, commands = []]) => commands);
  const missing = Object.keys(podman).filter((path) => !isThere(path));
  expect(missing.filter((path) => !listed.some((one) => path === one || path.startsWith(`${one} `)))).toEqual([]);
  expect(listed.filter((one) => !missing.includes(one))).toEqual([]);
});
