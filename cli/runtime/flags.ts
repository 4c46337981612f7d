/** The command line of an OCI runtime as crun and runc have it: flags of the program, a verb, its flags, the container. Pure. */
import { EngineError } from '../../core/errors.ts';

export type FlagKind = 'text' | 'switch' | 'list';

export interface Flag {
  readonly kind: FlagKind;
  readonly short?: string;
  readonly help: string;
}

export interface Verb {
  readonly usage: string;
  readonly summary: string;
  readonly flags: Readonly<Record<string, Flag>>;
  /** How many words it takes; the last one: any number. */
  readonly words: readonly [least: number, most: number];
}

const text = (help: string, short?: string): Flag => ({ kind: 'text', help, ...(short === undefined ? {} : { short }) });
const toggle = (help: string, short?: string): Flag => ({ kind: 'switch', help, ...(short === undefined ? {} : { short }) });
const list = (help: string, short?: string): Flag => ({ kind: 'list', help, ...(short === undefined ? {} : { short }) });

export const GLOBAL_FLAGS: Readonly<Record<string, Flag>> = {
  root: text('Directory of the state of containers'),
  log: text('File that errors are written to'),
  'log-format': text('Format of the log: text or json'),
  'log-level': text('Accepted; errors are logged'),
  debug: toggle('Show what is called'),
  'systemd-cgroup': toggle('Make cgroups through systemd'),
  'cgroup-manager': text('cgroupfs, systemd or disabled'),
  rootless: text('Accepted; found out'),
  criu: text('Accepted; there are no checkpoints'),
};

const CREATION: Readonly<Record<string, Flag>> = {
  bundle: text('Directory of the bundle (default: the working directory)', 'b'),
  'console-socket': text("Socket that the terminal's master is sent to"),
  'pid-file': text('File that the pid is written to'),
  'preserve-fds': text('How many further descriptors the process gets'),
  'no-pivot': toggle('Change the root without pivot_root'),
  'no-new-keyring': toggle('Keep the session keyring'),
  'no-subreaper': toggle('Accepted'),
};

const ANY_NUMBER = Infinity;

export const VERBS: Readonly<Record<string, Verb>> = {
  create: { usage: 'create [flags] ID', summary: 'Create a container from a bundle', flags: CREATION, words: [1, 1] },
  run: {
    usage: 'run [flags] ID',
    summary: 'Create and start a container',
    flags: { ...CREATION, detach: toggle('Do not wait for its end', 'd'), keep: toggle('Do not delete it at its end') },
    words: [1, 1],
  },
  start: { usage: 'start ID', summary: 'Start a created container', flags: {}, words: [1, 1] },
  state: { usage: 'state ID', summary: 'Print the state of a container', flags: {}, words: [1, 1] },
  list: {
    usage: 'list [flags]',
    summary: 'List containers',
    flags: { format: text('table or json', 'f'), quiet: toggle('Ids alone', 'q') },
    words: [0, 0],
  },
  kill: {
    usage: 'kill [flags] ID [SIGNAL]',
    summary: 'Signal a container (default: SIGTERM)',
    flags: { all: toggle('Signal all of its processes', 'a') },
    words: [1, 2],
  },
  delete: {
    usage: 'delete [flags] ID',
    summary: 'Delete a stopped container',
    flags: { force: toggle('End it first', 'f') },
    words: [1, 1],
  },
  exec: {
    usage: 'exec [flags] ID [COMMAND [ARG...]]',
    summary: 'Run a further process in a container',
    flags: {
      process: text('File with the process', 'p'),
      'console-socket': CREATION['console-socket']!,
      'pid-file': CREATION['pid-file']!,
      'preserve-fds': CREATION['preserve-fds']!,
      detach: toggle('Do not wait for its end', 'd'),
      tty: toggle('Give it a terminal', 't'),
      cwd: text('Its working directory'),
      env: list('Add to its environment', 'e'),
      user: text('UID[:GID]', 'u'),
      cap: list('Add a capability', 'c'),
      'no-new-privs': toggle('It cannot get more privileges'),
    },
    words: [1, ANY_NUMBER],
  },
  pause: { usage: 'pause ID', summary: 'Stop all processes of a container for a while', flags: {}, words: [1, 1] },
  resume: { usage: 'resume ID', summary: 'Let a paused container go on', flags: {}, words: [1, 1] },
  update: {
    usage: 'update --resources FILE ID',
    summary: 'Change the limits of a container',
    flags: { resources: text('File with the resources (-: stdin)', 'r') },
    words: [1, 1],
  },
  ps: {
    usage: 'ps [flags] ID',
    summary: 'List the processes of a container',
    flags: { format: text('table or json', 'f') },
    words: [1, 1],
  },
  spec: {
    usage: 'spec [flags]',
    summary: 'Write a config.json to begin with',
    flags: { bundle: text('Directory to write it to', 'b'), rootless: toggle('For an ordinary user') },
    words: [0, 0],
  },
  features: { usage: 'features', summary: 'Print what is supported', flags: {}, words: [0, 0] },
};

export interface Given {
  text(name: string): string | undefined;
  has(name: string): boolean;
  list(name: string): readonly string[];
}

export interface ParsedLine {
  readonly globals: Given;
  /** Undefined: none, or help was asked for. */
  readonly verb: string | undefined;
  readonly flags: Given;
  readonly words: readonly string[];
  readonly wants: 'help' | 'version' | undefined;
}

/** Throws USAGE. */
export function parseLine(argv: readonly string[]): ParsedLine {
  const before = parseFlags(argv, GLOBAL_FLAGS, 'lichen runtime');
  const [verb, ...rest] = before.rest;
  const none = before.given;
  if (before.wants !== undefined || verb === undefined)
    return { globals: before.given, verb: undefined, flags: none, words: [], wants: before.wants ?? 'help' };
  if (!Object.hasOwn(VERBS, verb)) throw new EngineError('USAGE', `unknown command ${JSON.stringify(verb)} for the runtime`);
  const { flags, words } = VERBS[verb]!;
  const after = parseFlags(rest, flags, `runtime ${verb}`, { mayFollow: words[1] !== ANY_NUMBER });
  if (after.wants === undefined && (after.rest.length < words[0] || after.rest.length > words[1]))
    throw new EngineError(
      'USAGE',
      `runtime ${verb}: ${after.rest.length < words[0] ? 'the id of a container is missing' : 'too many arguments'}`,
    );
  return { globals: before.given, verb, flags: after.given, words: after.rest, wants: after.wants };
}

/** `mayFollow`: flags may stand after words. */
function parseFlags(
  argv: readonly string[],
  known: Readonly<Record<string, Flag>>,
  where: string,
  { mayFollow = false }: { readonly mayFollow?: boolean } = {},
): { readonly given: Given; readonly rest: readonly string[]; readonly wants: ParsedLine['wants'] } {
  const values = new Map<string, string[]>();
  const rest: string[] = [];
  let wants: ParsedLine['wants'];
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index]!;
    if (word === '--') {
      rest.push(...argv.slice(index + 1));
      break;
    }
    if (!word.startsWith('-') || word === '-') {
      if (!mayFollow) {
        rest.push(...argv.slice(index));
        break;
      }
      rest.push(word);
      continue;
    }
    if (word === '--help' || word === '-h') wants = 'help';
    else if (word === '--version' || (word === '-v' && known === GLOBAL_FLAGS)) wants = 'version';
    else {
      const { name, inline } = nameOf(word, known, where);
      const { kind } = known[name]!;
      const value = inline ?? (kind === 'switch' ? 'true' : argv[++index]);
      if (value === undefined) throw new EngineError('USAGE', `${where}: --${name} needs a value`);
      values.set(name, [...(values.get(name) ?? []), value]);
    }
  }
  const given: Given = {
    text: (name) => values.get(name)?.at(-1),
    has: (name) => values.get(name)?.at(-1) === 'true',
    list: (name) => values.get(name) ?? [],
  };
  return { given, rest, wants };
}

function nameOf(
  word: string,
  known: Readonly<Record<string, Flag>>,
  where: string,
): { readonly name: string; readonly inline: string | undefined } {
  const [, dashes, name = '', inline] = /^(--?)([^=]+)(?:=(.*))?$/s.exec(word) ?? [];
  if (dashes === '--' && Object.hasOwn(known, name)) return { name, inline };
  if (dashes === '-') {
    // runc's flags may have one dash; a short one may have its value at once.
    const found = Object.entries(known).find(([, { short }]) => short !== undefined && name.startsWith(short));
    if (found !== undefined && (name.length === 1 || found[1].kind !== 'switch'))
      return { name: found[0], inline: name.length === 1 ? inline : name.slice(1) };
    if (Object.hasOwn(known, name)) return { name, inline };
  }
  throw new EngineError('USAGE', `${where}: unknown flag ${word}`);
}

export function helpText(verb: string | undefined): string {
  const flags = Object.entries(verb === undefined ? GLOBAL_FLAGS : VERBS[verb]!.flags);
  const lines = flags.map(([name, { short, kind, help }]) => {
    const words = `${short === undefined ? '    ' : `-${short}, `}--${name}${kind === 'switch' ? '' : ' VALUE'}`;
    return `  ${words.padEnd(30)}${help}\n`;
  });
  const flagText = lines.length === 0 ? '' : `\nFlags:\n${lines.join('')}`;
  if (verb !== undefined) return `${VERBS[verb]!.summary}\n\nUsage:\n  lichen-runtime [global flags] ${VERBS[verb]!.usage}\n${flagText}`;
  const verbs = Object.entries(VERBS).map(([name, { summary }]) => `  ${name.padEnd(12)}${summary}\n`);
  return `lichen's OCI runtime\n\nUsage:\n  lichen-runtime [global flags] COMMAND [flags] [ID]\n\nCommands:\n${verbs.join('')}${flagText}`;
}
