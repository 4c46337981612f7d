/** Keys that say which users of the machine those of a container are: today's, and the Remap ones of earlier days. */
import { flagsOf, pair } from './flags.ts';
import type { Source } from './source.ts';

/** Throws QuadletError. Kube files know neither maps nor `manual`. */
export function userNamespaceFlags(source: Source, { maps }: { readonly maps: boolean }): string[] {
  const mapFlags = maps
    ? flagsOf(source, { words: { UIDMap: '--uidmap', GIDMap: '--gidmap' }, text: { SubUIDMap: '--subuidname', SubGIDMap: '--subgidname' } })
    : [];
  const mode = source.text('UserNS');
  if (mode !== undefined || mapFlags.length > 0) return [...pair('--userns', mode), ...mapFlags];
  return remapFlags(source, maps);
}

function remapFlags(source: Source, maps: boolean): string[] {
  const uids = source.words('RemapUid');
  const gids = source.words('RemapGid');
  const how = source.text('RemapUsers');
  switch (how) {
    case undefined:
      if (uids.length > 0) source.fail('UidMap set without RemapUsers', 'RemapUid', 'Write RemapUsers=manual, or UIDMap= instead');
      if (gids.length > 0) source.fail('GidMap set without RemapUsers', 'RemapGid', 'Write RemapUsers=manual, or GIDMap= instead');
      return [];
    case 'manual':
      if (!maps) source.fail('RemapUsers=manual is not supported', 'RemapUsers', 'Write UserNS= instead');
      return [...uids.flatMap((map) => ['--uidmap', map]), ...gids.flatMap((map) => ['--gidmap', map])];
    case 'auto': {
      const size = source.text('RemapUidSize');
      const options = [
        ...uids.map((map) => `uidmapping=${map}`),
        ...gids.map((map) => `gidmapping=${map}`),
        ...(size ? [`size=${size}`] : []),
      ];
      return ['--userns', withOptions('auto', options)];
    }
    case 'keep-id':
      if (uids.length > 1) source.fail('RemapUsers=keep-id supports only a single value for UID mapping', 'RemapUid');
      if (gids.length > 1) source.fail('RemapUsers=keep-id supports only a single value for GID mapping', 'RemapGid');
      return ['--userns', withOptions('keep-id', [...uids.map((uid) => `uid=${uid}`), ...gids.map((gid) => `gid=${gid}`)])];
    default:
      return source.fail(`unsupported RemapUsers option '${how}'`, 'RemapUsers', 'Write UserNS= instead');
  }
}

function withOptions(mode: string, options: readonly string[]): string {
  return options.length === 0 ? mode : `${mode}:${options.join(',')}`;
}
