/** What `logs` and `pod logs` print. */
import { EngineError } from '../core/errors.ts';
import { shortId } from '../core/id.ts';
import { parseMoment } from '../core/moment.ts';
import type { LogChunk } from '../libpod/container/log-record.ts';
import type { LogRequest } from '../libpod/container/log-request.ts';
import { readLogs } from '../libpod/container/logs.ts';
import type { Engine } from '../libpod/engine.ts';
import type { ContainerRecord } from '../libpod/state/containers.ts';
import type { CommandContext } from './command.ts';

export interface LogFlags {
  readonly color: boolean;
  readonly follow: boolean;
  readonly names: boolean;
  readonly since?: string | undefined;
  readonly tail: number;
  readonly timestamps: boolean;
  readonly until?: string | undefined;
}

/** Podman's order: light grey, red, yellow, blue, magenta, cyan, green. */
const COLOURS = ['37', '31', '33', '34', '35', '36', '32'];

/** Throws INVALID_ARGUMENT. */
export function logRequest(flags: LogFlags): LogRequest {
  return {
    tail: flags.tail < 0 ? undefined : flags.tail,
    sinceNs: moment('since', flags.since, 'back'),
    untilNs: moment('until', flags.until, 'ahead'),
    follow: flags.follow,
  };
}

/** One after the other, or with --follow all at once until they end. Of several, each line begins with its container. */
export async function printAllLogs(
  context: CommandContext,
  engine: Engine,
  records: readonly ContainerRecord[],
  { request, flags }: Pick<Listing, 'request' | 'flags'>,
): Promise<void> {
  const prints = records.map(
    (record, index) => () => printLogs(context, engine, record, { request, flags, several: records.length > 1, index }),
  );
  if (flags.follow) await Promise.all(prints.map((print) => print()));
  else for (const print of prints) await print();
}

function moment(flag: string, text: string | undefined, direction: 'back' | 'ahead'): bigint | undefined {
  if (text === undefined || text === '') return undefined;
  const parsed = parseMoment(text, Date.now(), direction);
  if (parsed === undefined)
    throw new EngineError('INVALID_ARGUMENT', `parsing --${flag} ${JSON.stringify(text)}: unable to interpret time value`);
  return parsed;
}

interface Listing {
  readonly request: LogRequest;
  readonly flags: LogFlags;
  readonly several: boolean;
  readonly index: number;
}

async function printLogs(
  context: CommandContext,
  engine: Engine,
  record: ContainerRecord,
  { request, flags, several, index }: Listing,
): Promise<void> {
  const name = several ? `${flags.names ? record.name : shortId(record.id)} ` : '';
  const colour = COLOURS[index % COLOURS.length]!;
  for await (const chunks of readLogs(engine, record, request)) {
    for (const run of runsOfStream(chunks)) {
      const printer = run[0]!.stream === 'stdout' ? context.stdout : context.stderr;
      const bytes = run.map((chunk) => {
        const prefix = chunk.startsLine ? `${name}${flags.timestamps ? `${shownStamp(chunk.stamp)} ` : ''}` : '';
        return lineBytes(chunk, prefix, flags.color ? colour : undefined);
      });
      printer.write(Buffer.concat(bytes));
    }
  }
}

/** Neighbours of one stream are written at once, and the two streams stay in order. */
function runsOfStream(chunks: readonly LogChunk[]): LogChunk[][] {
  const runs: LogChunk[][] = [];
  for (const chunk of chunks) {
    const last = runs.at(-1);
    if (last?.[0]?.stream === chunk.stream) last.push(chunk);
    else runs.push([chunk]);
  }
  return runs;
}

function lineBytes(chunk: LogChunk, prefix: string, colour: string | undefined): Buffer {
  const parts = [Buffer.from(prefix), chunk.text];
  if (colour !== undefined) {
    parts.unshift(Buffer.from(`\x1b[${colour}m`));
    parts.push(Buffer.from('\x1b[0m'));
  }
  if (!chunk.partial) parts.push(Buffer.from('\n'));
  return Buffer.concat(parts);
}

/** UTC is written `Z`. */
function shownStamp(stamp: string): string {
  return stamp.replace(/[+-]00:00$/, 'Z');
}
