import { EngineError } from '../../core/errors.ts';
import { parseMoment } from '../../core/moment.ts';
import { readEvents } from '../../libpod/events.ts';
import type { EventRecord } from '../../libpod/summary.ts';
import { defineCommand } from '../command.ts';
import { eventsFace } from '../faces/events.ts';
import { formatOne, isJsonFormat } from '../format/report.ts';
import { eventData, eventJson, formatEvent } from '../format/views/events.ts';

export const command = defineCommand(eventsFace, async (context, _args, flags) => {
  const request = {
    filters: flags.filter,
    sinceNs: moment('since', flags.since, 'back'),
    untilNs: moment('until', flags.until, 'ahead'),
    follow: flags.stream,
  };
  const show = formatter(flags.format, flags['no-trunc']);
  const engine = await context.openEngine();
  for await (const event of readEvents(engine, request)) context.stdout.write(await show(event));
});

type Formatter = (event: EventRecord) => Promise<string> | string;

function formatter(format: string | undefined, noTrunc: boolean): Formatter {
  if (format === undefined || format === '') return (event) => `${formatEvent(event, noTrunc)}\n`;
  if (isJsonFormat(format)) return (event) => `${eventJson(event)}\n`;
  return (event) => formatOne('events', format, eventData(event));
}

function moment(flag: string, text: string | undefined, direction: 'back' | 'ahead'): bigint | undefined {
  if (text === undefined || text === '') return undefined;
  const parsed = parseMoment(text, Date.now(), direction);
  if (parsed !== undefined) return parsed;
  throw new EngineError(
    'INVALID_ARGUMENT',
    `failed to parse event filters: unable to convert ${flag} time of ${text}: unable to interpret time value`,
  );
}
