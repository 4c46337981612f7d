import { writeSync } from 'node:fs';

const wanted = process.env['LICHEN_TRACE_TIMES'] !== undefined;

/** With LICHEN_TRACE_TIMES set: one line on stderr with the milliseconds since this process was started, for bench/. */
export function trace(name: string): void {
  if (wanted) writeSync(2, `lichen-time ${name} ${performance.now().toFixed(1)}\n`);
}
