/** Which streams of a new container a foreground `run` is attached to. */
import { invalid } from '../../libpod/spec/parse/go.ts';

export const STREAMS = ['stdin', 'stdout', 'stderr'] as const;
export type Stream = (typeof STREAMS)[number];

/** Without `--attach`: stdout and stderr, and stdin where it is kept open. Throws INVALID_ARGUMENT. */
export function attachedStreams(attach: readonly string[], interactive: boolean): ReadonlySet<Stream> {
  if (attach.length === 0) return new Set(interactive ? STREAMS : ['stdout', 'stderr']);
  return new Set(attach.map(parseStream));
}

function parseStream(text: string): Stream {
  const known = STREAMS.find((stream) => stream === text.toLowerCase());
  if (known === undefined) {
    throw invalid(`invalid stream ${JSON.stringify(text)} for --attach - must be one of stdin, stdout, or stderr: invalid argument`);
  }
  return known;
}
