/** The two ends of `image scp`, as they are typed: `[USER@]HOST::[IMAGE]`, or an image of one's own. Pure. */
import { EngineError } from '../../core/errors.ts';

export interface ScpEnd {
  /** Absent: this store. */
  readonly host?: string;
  readonly user?: string;
  /** Empty where none was named. */
  readonly image: string;
}

/** Throws INVALID_ARGUMENT, in Podman's words. */
export function parseScpEnds(first: string, second: string | undefined): { readonly from: ScpEnd; readonly to: ScpEnd } {
  const from = parseEnd(first);
  if (from.image === '') throw new EngineError('INVALID_ARGUMENT', 'no source image specified: invalid argument');
  if (second === undefined) {
    if (from.host === undefined) throw new EngineError('INVALID_ARGUMENT', 'must specify a destination: invalid argument');
    return { from, to: { image: '' } };
  }
  if (!second.includes('::')) {
    throw new EngineError('INVALID_ARGUMENT', `invalid destination ${JSON.stringify(second)}: it must end with ::`);
  }
  const to = parseEnd(second);
  if (to.image !== '')
    throw new EngineError('INVALID_ARGUMENT', `cannot specify an image name for the destination: ${JSON.stringify(second)}`);
  return { from, to };
}

function parseEnd(text: string): ScpEnd {
  const colons = text.indexOf('::');
  if (colons < 0) return { image: text };
  const [place, image] = [text.slice(0, colons), text.slice(colons + 2)];
  const at = place.lastIndexOf('@');
  const host = place.slice(at + 1);
  const user = at < 0 ? undefined : place.slice(0, at);
  // Words that ssh or sudo would take for their own options.
  const bad = host === '' || host.startsWith('-') || user === '' || user?.startsWith('-') === true || /[\s\0]/.test(place);
  if (bad) throw new EngineError('INVALID_ARGUMENT', `invalid host in ${JSON.stringify(text)}: expected [USER@]HOST::`);
  return { host, image, ...(user === undefined ? {} : { user }) };
}
