/** What the flags of `manifest add` and `annotate` say of an entry. */
import { EngineError } from '../core/errors.ts';
import type { EntryChanges } from '../storage/list/edit.ts';

export interface EntryFlags {
  readonly annotation: readonly string[];
  readonly arch?: string | undefined;
  readonly features: readonly string[];
  readonly os?: string | undefined;
  readonly 'os-features'?: readonly string[];
  readonly 'os-version'?: string | undefined;
  readonly variant?: string | undefined;
}

/** Throws INVALID_ARGUMENT. */
export function entryChanges(flags: EntryFlags): EntryChanges {
  return {
    architecture: flags.arch,
    os: flags.os,
    variant: flags.variant,
    osVersion: flags['os-version'],
    osFeatures: flags['os-features'] ?? [],
    features: flags.features,
    annotations: annotationMap(flags.annotation, (text) => `no value given for annotation ${text}`),
  };
}

/** Throws INVALID_ARGUMENT with what `complaint` makes of the text in quotes: Podman says it in two ways. */
export function annotationMap(
  texts: readonly string[],
  complaint = (text: string) => `expected --annotation ${text} to be in key=value format`,
): Readonly<Record<string, string>> {
  const entries = texts.map((text): [string, string] => {
    const equals = text.indexOf('=');
    if (equals < 0) throw new EngineError('INVALID_ARGUMENT', complaint(JSON.stringify(text)));
    return [text.slice(0, equals), text.slice(equals + 1)];
  });
  return Object.fromEntries(entries);
}
