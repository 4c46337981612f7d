/** Instructions read for what they mean. */
import { nearest } from '../../core/edit-distance.ts';
import { readDirectives, type Directives } from './directives.ts';
import { failed } from './failure.ts';
import { readFlags } from './flags.ts';
import { parseHealthcheck } from './healthcheck.ts';
import { isHeredocWord } from './heredoc.ts';
import { scanInner, scanInstructions, type Instruction } from './scan.ts';
import type { Source } from './source.ts';
import type { Command, RawPair, Statement } from './statement.ts';
import { jsonArray, splitWords } from './words.ts';

export interface Dockerfile {
  readonly source: Source;
  readonly directives: Directives;
  readonly statements: readonly Statement[];
}

/** Throws DOCKERFILE: file, line, column and the word that is wrong. */
export function parseDockerfile(source: Source): Dockerfile {
  const directives = readDirectives(source);
  const statements = scanInstructions(source, directives).map((instruction) => parseStatement(instruction, directives.escape));
  return { source, directives, statements };
}

/** What an ONBUILD of a base image has put down. Throws DOCKERFILE. */
export function parseTrigger(source: Source): readonly Statement[] {
  return parseDockerfile(source).statements;
}

function parseStatement(instruction: Instruction, escape: '\\' | '`'): Statement {
  const parse = Object.hasOwn(PARSERS, instruction.name) ? PARSERS[instruction.name] : undefined;
  if (parse === undefined) throw unknownInstruction(instruction);
  return parse(instruction, escape);
}

function unknownInstruction(instruction: Instruction): Error {
  const close = nearest(Object.keys(PARSERS), instruction.name, 2);
  return failed(instruction, `unknown instruction: ${instruction.typedName}`, {
    word: instruction.typedName,
    at: 0,
    ...(close === undefined ? {} : { hint: `Did you mean ${close}?` }),
  });
}

type Parser = (instruction: Instruction, escape: '\\' | '`') => Statement;

const PARSERS: Readonly<Record<string, Parser | undefined>> = {
  FROM: from,
  ARG: arg,
  ENV: (instruction, escape) => ({ at: instruction, kind: 'env', pairs: pairs(instruction, escape) }),
  LABEL: (instruction, escape) => ({ at: instruction, kind: 'label', pairs: pairs(instruction, escape) }),
  RUN: run,
  COPY: transfer,
  ADD: transfer,
  CMD: (instruction) => ({ at: noFlags(instruction), kind: 'cmd', command: command(instruction) }),
  ENTRYPOINT: (instruction) => ({ at: noFlags(instruction), kind: 'entrypoint', command: command(instruction) }),
  EXPOSE: list,
  VOLUME: list,
  USER: word,
  WORKDIR: word,
  STOPSIGNAL: word,
  SHELL: shell,
  MAINTAINER: (instruction) => ({ at: noFlags(instruction), kind: 'maintainer', text: required(instruction) }),
  ONBUILD: onbuild,
  HEALTHCHECK: healthcheck,
};

function from(instruction: Instruction, escape: string): Statement {
  const { platform } = readFlags(instruction, { platform: 'value' });
  const words = splitWords(instruction.rest, escape).map(({ text }) => text);
  if (words.length !== 1 && !(words.length === 3 && words[1]!.toUpperCase() === 'AS'))
    throw failed(instruction, 'FROM requires either one argument, or three: FROM <source> [AS <name>]');
  const name = words[2];
  if (name !== undefined && !/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(name))
    throw failed(
      instruction,
      `invalid name for build stage: ${JSON.stringify(name)}, name can't start with a symbol or contain others than _ . -`,
      {
        word: name,
        at: instruction.text.lastIndexOf(name),
      },
    );
  return { at: instruction, kind: 'from', raw: words[0]!, rawPlatform: platform, stageName: name?.toLowerCase() };
}

function arg(instruction: Instruction, escape: string): Statement {
  noFlags(instruction);
  required(instruction);
  const args = splitWords(instruction.rest, escape).map(({ text, at }) => {
    const equals = text.indexOf('=');
    const name = equals < 0 ? text : text.slice(0, equals);
    if (!/^[A-Za-z_][A-Za-z0-9_.-]*$/.test(name))
      throw failed(instruction, `ARG needs the name of a variable, ${JSON.stringify(name)} is none`, {
        word: text,
        at: instruction.restAt + at,
      });
    return { name, raw: equals < 0 ? undefined : text.slice(equals + 1) };
  });
  return { at: instruction, kind: 'arg', args };
}

/** `A=b C="d e"`, or in the old way `A everything else`. */
function pairs(instruction: Instruction, escape: string): readonly RawPair[] {
  noFlags(instruction);
  const { name, rest } = instruction;
  const words = splitWords(rest, escape);
  if (words.length === 0) throw failed(instruction, `${name} requires at least one argument`);
  if (!words[0]!.text.includes('=')) {
    const rawName = words[0]!.text;
    const raw = rest.slice(rawName.length).trim();
    if (raw === '') throw failed(instruction, `${name} must have two arguments`, { word: rawName, at: instruction.restAt });
    return [{ rawName, raw }];
  }
  return words.map(({ text, at }) => {
    const equals = text.indexOf('=');
    if (equals < 0)
      throw failed(instruction, `Syntax error - can't find = in ${JSON.stringify(text)}. Must be of the form: name=value`, {
        word: text,
        at: instruction.restAt + at,
      });
    if (equals === 0) throw failed(instruction, `${name} names can not be blank`, { word: text, at: instruction.restAt + at });
    return { rawName: text.slice(0, equals), raw: text.slice(equals + 1) };
  });
}

function run(instruction: Instruction): Statement {
  const { mount, network, security } = readFlags(instruction, { mount: 'values', network: 'value', security: 'value' });
  return {
    at: instruction,
    kind: 'run',
    command: command(instruction),
    heredocs: instruction.heredocs,
    rawMounts: mount,
    rawNetwork: network,
    rawSecurity: security,
  };
}

const TRANSFER_FLAGS = { chown: 'value', chmod: 'value', link: 'bool', exclude: 'values' } as const;
const COPY_FLAGS = { ...TRANSFER_FLAGS, from: 'value', parents: 'bool' } as const;
const ADD_FLAGS = { ...TRANSFER_FLAGS, checksum: 'value', 'keep-git-dir': 'bool', unpack: 'bool' } as const;

function transfer(instruction: Instruction, escape: string): Statement {
  const isCopy = instruction.name === 'COPY';
  const flags: Partial<ReturnType<typeof readFlags<typeof COPY_FLAGS & typeof ADD_FLAGS>>> = isCopy
    ? readFlags(instruction, COPY_FLAGS)
    : readFlags(instruction, ADD_FLAGS);
  const array = jsonArray(instruction.rest);
  const words = array ?? splitWords(instruction.rest, escape).map(({ text }) => text);
  if (words.length < 2) throw failed(instruction, `${instruction.name} requires at least two arguments`);
  return {
    at: instruction,
    kind: isCopy ? 'copy' : 'add',
    rawSources: words.slice(0, -1).filter((source) => array !== undefined || instruction.heredocs.length === 0 || !isHeredocWord(source)),
    heredocs: array === undefined ? instruction.heredocs : [],
    rawDestination: words.at(-1)!,
    literal: array !== undefined,
    rawFrom: flags.from,
    rawChown: flags.chown,
    rawChmod: flags.chmod,
    rawExcludes: flags.exclude ?? [],
    rawChecksum: flags.checksum,
    link: flags.link ?? false,
    parents: flags.parents ?? false,
    keepGitDir: flags['keep-git-dir'] ?? false,
    unpack: flags.unpack,
  };
}

function command(instruction: Instruction): Command {
  const text = instruction.name === 'RUN' && instruction.heredocs.length > 0 ? instruction.rest : required(instruction);
  const argv = jsonArray(text);
  return argv === undefined ? { line: text } : { argv };
}

function list(instruction: Instruction, escape: string): Statement {
  noFlags(instruction);
  const kind = instruction.name === 'EXPOSE' ? 'expose' : 'volume';
  const array = kind === 'volume' ? jsonArray(instruction.rest) : undefined;
  const raws = array ?? splitWords(instruction.rest, escape).map(({ text }) => text);
  if (raws.length === 0 || raws.includes('')) throw failed(instruction, `${instruction.name} requires at least one argument`);
  return { at: instruction, kind, raws, literal: array !== undefined };
}

function word(instruction: Instruction): Statement {
  noFlags(instruction);
  return { at: instruction, kind: instruction.name.toLowerCase() as 'user' | 'workdir' | 'stopsignal', raw: required(instruction) };
}

function shell(instruction: Instruction): Statement {
  const words = jsonArray(noFlags(instruction).rest);
  if (words === undefined || words.length === 0) throw failed(instruction, 'SHELL requires the arguments to be in JSON form');
  return { at: instruction, kind: 'shell', words };
}

function onbuild(instruction: Instruction, escape: '\\' | '`'): Statement {
  const inner = scanInner({ ...instruction, rest: required(instruction) });
  if (['ONBUILD', 'FROM', 'MAINTAINER'].includes(inner.name))
    throw failed(
      instruction,
      inner.name === 'ONBUILD'
        ? "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed"
        : `${inner.name} isn't allowed as an ONBUILD trigger`,
      {
        word: inner.typedName,
        at: instruction.restAt,
      },
    );
  parseStatement(inner, escape);
  const documents = instruction.heredocs.map(({ content, name }) => `\n${content}${name}`).join('');
  return { at: instruction, kind: 'onbuild', text: instruction.rest + documents };
}

function healthcheck(instruction: Instruction): Statement {
  return { at: instruction, kind: 'healthcheck', check: parseHealthcheck(instruction) };
}

function noFlags(instruction: Instruction): Instruction {
  readFlags(instruction, {});
  return instruction;
}

function required(instruction: Instruction): string {
  if (instruction.rest === '')
    throw failed(instruction, `${instruction.name} requires at least one argument`, { word: instruction.typedName, at: 0 });
  return instruction.rest;
}
