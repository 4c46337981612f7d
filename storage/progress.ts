/** What a copy reports while it runs. The door prints it, or draws bars, or stays quiet. */
import type { Digest } from '../core/digest.ts';

export type CopyEvent =
  /** A line about a choice made for the caller (short names). */
  | { readonly kind: 'notice'; readonly text: string }
  | { readonly kind: 'trying'; readonly reference: string }
  | { readonly kind: 'retrying'; readonly delayMs: number; readonly attempt: number; readonly attempts: number; readonly error: string }
  | { readonly kind: 'signatures' }
  /** Once per layer before it is read. `present`: it is here already and is not read. */
  | { readonly kind: 'blob'; readonly digest: Digest; readonly total: number; readonly present: boolean }
  /** As bytes of a layer arrive: `done` of `total`, both as stored at the source. */
  | { readonly kind: 'layer'; readonly digest: Digest; readonly total: number; readonly done: number }
  | { readonly kind: 'config'; readonly digest: Digest }
  | { readonly kind: 'manifest' };

export type OnCopyEvent = (event: CopyEvent) => void;

/** Podman's line for the event where its output is no terminal; undefined for those it says nothing about. */
export function describeEvent(event: CopyEvent): string | undefined {
  switch (event.kind) {
    case 'notice':
      return event.text;
    case 'trying':
      return `Trying to pull ${event.reference}...`;
    case 'signatures':
      return 'Getting image source signatures';
    case 'blob':
      return `Copying blob ${event.digest}`;
    case 'config':
      return `Copying config ${event.digest}`;
    case 'manifest':
      return 'Writing manifest to image destination';
    default:
      return undefined;
  }
}
