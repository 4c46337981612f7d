/** What each verb of the runtime's command line does. Returns the exit status; prints through what it is given. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EngineError } from '../../core/errors.ts';
import { parseSignal } from '../../core/signal.ts';
import type { CgroupManager } from '../../runtime/cgroup/place.ts';
import { isRecord, parseJson } from '../../core/json.ts';
import { VERSION } from '../version.ts';
import type { Printer } from '../print.ts';
import { helpText, type Given, type ParsedLine } from './flags.ts';

export interface RuntimeDoor {
  readonly stdout: Printer;
  readonly env: NodeJS.ProcessEnv;
}

/** Throws EngineError. */
export async function runRuntime(line: ParsedLine, door: RuntimeDoor): Promise<number> {
  const { verb, wants, words, flags, globals } = line;
  if (wants === 'version') {
    const { OCI_VERSION } = await import('../../runtime/store.ts');
    door.stdout.write(`lichen-runtime version ${VERSION}\nspec: ${OCI_VERSION}\n`);
    return 0;
  }
  if (wants === 'help' || verb === undefined) {
    door.stdout.write(helpText(verb));
    return 0;
  }
  const root = globals.text('root') ?? defaultRoot(door.env);
  const [id = ''] = words;
  switch (verb) {
    case 'create': {
      const { createContainer } = await import('../../runtime/create.ts');
      const request = creation(line, root, id);
      if (request.consoleSocket === undefined && isTerminalAsked(request.bundle))
        throw new EngineError('USAGE', 'a container with a terminal needs --console-socket (or run)');
      await createContainer(request);
      return 0;
    }
    case 'run': {
      const { runContainer } = await import('./foreground.ts');
      return runContainer(creation(line, root, id), { detach: flags.has('detach'), keep: flags.has('keep') });
    }
    case 'exec': {
      const { execProcess } = await import('./exec.ts');
      return execProcess(line, root);
    }
    case 'spec': {
      const { writeDefaultSpec } = await import('../../runtime/default-spec.ts');
      writeDefaultSpec(flags.text('bundle') ?? '.', { rootless: flags.has('rootless') });
      return 0;
    }
    case 'features': {
      const { features } = await import('../../runtime/features.ts');
      door.stdout.write(`${JSON.stringify(features(VERSION), null, 2)}\n`);
      return 0;
    }
    default:
      return operate(verb, { root, id, words, flags }, door);
  }
}

interface Operation {
  readonly root: string;
  readonly id: string;
  readonly words: readonly string[];
  readonly flags: Given;
}

async function operate(verb: string, { root, id, words, flags }: Operation, { stdout }: RuntimeDoor): Promise<number> {
  const operations = await import('../../runtime/operate.ts');
  switch (verb) {
    case 'start':
      await operations.startContainer(root, id);
      break;
    case 'state':
      stdout.write(`${JSON.stringify(operations.containerState(root, id), null, 2)}\n`);
      break;
    case 'kill':
      operations.killContainer(root, id, parseSignal(words[1] ?? 'TERM'), { all: flags.has('all') });
      break;
    case 'delete':
      await operations.deleteContainer(root, id, { force: flags.has('force') });
      break;
    case 'pause':
      await operations.pauseContainer(root, id);
      break;
    case 'resume':
      await operations.resumeContainer(root, id);
      break;
    case 'update':
      operations.updateContainer(root, id, readResources(flags.text('resources')));
      break;
    case 'ps':
      showProcesses(operations.containerProcesses(root, id), flags, stdout);
      break;
    case 'list':
      await showList(root, flags, stdout);
      break;
    default:
      throw new EngineError('USAGE', `unknown command ${JSON.stringify(verb)}`);
  }
  return 0;
}

function creation({ flags, globals }: ParsedLine, root: string, id: string) {
  return {
    root,
    id,
    bundle: flags.text('bundle') ?? '.',
    pidFile: flags.text('pid-file'),
    consoleSocket: flags.text('console-socket'),
    fds: inherited(flags.text('preserve-fds')),
    noPivot: flags.has('no-pivot'),
    noNewKeyring: flags.has('no-new-keyring'),
    cgroupManager: cgroupManager(globals),
  };
}

/** Our streams, and as many descriptors more as `--preserve-fds` says. Throws USAGE. */
export function inherited(more: string | undefined): readonly number[] {
  if (more !== undefined && !/^\d{1,4}$/.test(more))
    throw new EngineError('USAGE', `--preserve-fds: ${JSON.stringify(more)} is no number of descriptors`);
  return Array.from({ length: 3 + Number(more ?? 0) }, (_, fd) => fd);
}

function isTerminalAsked(bundle: string): boolean {
  try {
    const { process: asked } = JSON.parse(readFileSync(join(bundle, 'config.json'), 'utf8')) as { process?: { terminal?: boolean } };
    return asked?.terminal === true;
  } catch {
    // Whoever reads it in earnest says what is wrong with it.
    return false;
  }
}

function cgroupManager(globals: Given): CgroupManager {
  if (globals.has('systemd-cgroup')) return 'systemd';
  const asked = globals.text('cgroup-manager') ?? 'cgroupfs';
  if (asked === 'cgroupfs' || asked === 'systemd' || asked === 'disabled') return asked;
  throw new EngineError('USAGE', `unknown cgroup manager ${JSON.stringify(asked)}`);
}

/** Where nobody else looks: one for each user. */
function defaultRoot(env: NodeJS.ProcessEnv): string {
  const own = env['XDG_RUNTIME_DIR'];
  return process.geteuid!() === 0 && !own
    ? '/run/lichen-runtime'
    : join(own ?? `/tmp/lichen-runtime-${process.geteuid!()}`, 'lichen-runtime');
}

function readResources(file: string | undefined): object {
  if (file === undefined) throw new EngineError('USAGE', 'runtime update: --resources is required');
  const document = parseJson(readFileSync(file === '-' ? 0 : file), 'resources', 'INVALID_ARGUMENT');
  if (!isRecord(document)) throw new EngineError('INVALID_ARGUMENT', 'resources: not an object');
  return document;
}

function showProcesses(pids: readonly number[], flags: Given, stdout: Printer): void {
  stdout.write(formatOf(flags) === 'json' ? `${JSON.stringify(pids)}\n` : `PID\n${pids.map((pid) => `${pid}\n`).join('')}`);
}

async function showList(root: string, flags: Given, stdout: Printer): Promise<void> {
  const { listContainers, stateOf } = await import('../../runtime/store.ts');
  const { currentStatus } = await import('../../runtime/operate.ts');
  const states = listContainers(root).map((kept) => stateOf(kept, currentStatus(root, kept)));
  const format = formatOf(flags);
  if (flags.has('quiet')) stdout.write(states.map(({ id }) => `${id}\n`).join(''));
  else if (format === 'json') stdout.write(`${JSON.stringify(states)}\n`);
  else {
    const rows = [
      ['NAME', 'PID', 'STATUS', 'BUNDLE PATH', 'CREATED'],
      ...states.map((each) => [each.id, String(each.pid), each.status, each.bundle, each.created]),
    ];
    const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
    stdout.write(
      rows
        .map(
          (row) =>
            `${row
              .map((cell, column) => cell.padEnd(widths[column]!))
              .join(' ')
              .trimEnd()}\n`,
        )
        .join(''),
    );
  }
}

function formatOf(flags: Given): 'table' | 'json' {
  const format = flags.text('format') ?? 'table';
  if (format === 'table' || format === 'json') return format;
  throw new EngineError('USAGE', `unknown format ${JSON.stringify(format)}: it is table or json`);
}
