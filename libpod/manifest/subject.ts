import type { Descriptor } from '../../storage/image.ts';
import type { Engine } from '../engine.ts';
import { resolveListed, type ListedOptions } from './listed.ts';

/** The descriptor of the image that an index is said to be about. Throws what resolveListed throws. */
export async function resolveSubject(engine: Engine, text: string, options: ListedOptions): Promise<Descriptor> {
  const [found] = await resolveListed(engine, text, { ...options, all: false });
  const { mediaType, digest, size } = found!.entry;
  return { mediaType, digest, size };
}
