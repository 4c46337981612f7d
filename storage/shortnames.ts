/** What a name without a registry means: when pulling, and when looking for an image that is here already. */
import { EngineError } from '../core/errors.ts';
import {
  DEFAULT_DOMAIN,
  formatReference,
  LOCAL_DOMAIN,
  parseReference,
  parseTyped,
  qualify,
  withDefaultTag,
  type Reference,
  type TypedReference,
} from './reference.ts';
import type { RegistriesConf } from './registries.ts';

export interface Resolution {
  /** To try in order. All have a tag or a digest. */
  readonly candidates: readonly Reference[];
  /** A line to print before trying, where the choice was not the caller's. */
  readonly notice?: string;
}

/** Throws INVALID_REFERENCE, SHORT_NAME_UNRESOLVED. */
export function resolveForPull(text: string, conf: RegistriesConf): Resolution {
  const typed = parseTyped(text);
  if (typed.domain !== undefined) return { candidates: [withDefaultTag(parseReference(text))] };
  const alias = aliasOf(typed, conf);
  if (alias) return { candidates: [alias.reference], notice: `Resolved ${JSON.stringify(typed.path)} as an alias (${alias.file})` };
  const search = conf.unqualifiedSearch;
  if (search === undefined) {
    return {
      candidates: [withDefaultTag(qualify(typed, DEFAULT_DOMAIN))],
      notice: `Resolving ${JSON.stringify(text)} using ${DEFAULT_DOMAIN}: no unqualified-search registries are configured in ${conf.file}`,
    };
  }
  if (search.length === 0) {
    throw new EngineError(
      'SHORT_NAME_UNRESOLVED',
      `short-name ${JSON.stringify(text)} did not resolve to an alias and no unqualified-search registries are defined in ${JSON.stringify(conf.file)}`,
      { hint: `Give the full name, for example ${formatReference(qualify(typed, DEFAULT_DOMAIN))}.` },
    );
  }
  if (search.length > 1 && conf.shortNameMode === 'enforcing') {
    throw new EngineError('SHORT_NAME_UNRESOLVED', `short-name resolution enforced but cannot prompt without a TTY`, {
      hint: `Give the full name: ${search.map((domain) => formatReference(qualify(typed, domain))).join(' or ')}.`,
    });
  }
  return {
    candidates: search.map((domain) => withDefaultTag(qualify(typed, domain))),
    notice: `Resolving ${JSON.stringify(text)} using unqualified-search registries (${conf.file})`,
  };
}

/**
 * Full names under which the image may be stored here, best first: the alias, localhost, the search registries, docker.io.
 * When none is stored, `answersTo` (reference.ts) finds `quay.io/team/bb:latest` for `bb`.
 */
export function localCandidates(text: string, conf: RegistriesConf): readonly Reference[] {
  const typed = parseTyped(text);
  if (typed.domain !== undefined) return [withDefaultTag(parseReference(text))];
  const domains = [LOCAL_DOMAIN, ...(conf.unqualifiedSearch ?? []), DEFAULT_DOMAIN];
  const names = [...new Map(domains.map((domain) => qualify(typed, domain)).map((name) => [formatReference(name), name])).values()];
  const alias = aliasOf(typed, conf);
  return [...(alias ? [alias.reference] : []), ...names.map(withDefaultTag)];
}

function aliasOf(typed: TypedReference, conf: RegistriesConf): { reference: Reference; file: string } | undefined {
  if (conf.shortNameMode === 'disabled') return undefined;
  const alias = conf.aliases.get(typed.path);
  if (alias === undefined) return undefined;
  const { tag, digest } = typed;
  const target = parseReference(alias.target);
  return {
    file: alias.file,
    reference: withDefaultTag({ ...target, ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) }),
  };
}
