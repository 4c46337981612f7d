import { EngineError } from './errors.ts';

declare const digestBrand: unique symbol;
/** `sha256:<64 lower-case hex>`, checked (image-spec descriptor.md#digests; sha512 is registered there but unused in practice). */
export type Digest = string & { readonly [digestBrand]: true };

const DIGEST = /^sha256:[0-9a-f]{64}$/;

export function isDigest(text: string): text is Digest {
  return DIGEST.test(text);
}

/** Throws INVALID_REFERENCE. A digest is checked before any path or URL is built from it. */
export function parseDigest(text: string): Digest {
  if (isDigest(text)) return text;
  throw new EngineError('INVALID_REFERENCE', `invalid checksum digest format: ${JSON.stringify(text.slice(0, 100))}`);
}

export function digestFromHex(hex: string): Digest {
  return parseDigest(`sha256:${hex}`);
}

/** The 64 hex characters after the algorithm: directory and file names in the store. */
export function digestHex(digest: Digest): string {
  return digest.slice('sha256:'.length);
}
