import { createHash } from 'node:crypto';
import { digestFromHex, type Digest } from '../../core/digest.ts';
import { isEngineError } from '../../core/errors.ts';
import { assembleTar } from './assemble.ts';

/** True if tree and record still give the tar with this digest. Reads the whole layer. */
export async function verifyLayer(layerDirectory: string, diffId: Digest): Promise<boolean> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of assembleTar(layerDirectory)) hash.update(chunk as Buffer);
  } catch (error) {
    if (isEngineError(error, 'STORE_CORRUPT') || (error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
  return digestFromHex(hash.digest('hex')) === diffId;
}
