/** `--pid`, `--ipc`, `--uts`, `--cgroupns`, `--userns`. */
import type { IdRange, NamespaceMode, NamespaceWishes, UserNamespaceMode } from '../wish.ts';
import { invalid, parseUint } from './go.ts';
import { parseIdMappings } from './idmap.ts';

/** Undefined: the default was asked for. Throws INVALID_ARGUMENT. */
export function parseNamespace(text: string): NamespaceMode | undefined {
  if (text === '' || text === 'default') return undefined;
  if (text === 'host' || text === 'private') return { kind: text };
  const [kind, value] = splitOnce(text);
  if (kind === 'container' && value !== undefined) return { kind: 'container', container: needed(kind, value) };
  if (kind === 'ns' && value !== undefined) return { kind: 'path', path: needed('path', value) };
  if (text === 'pod')
    throw invalid('cannot use pod namespace as container is not joining a pod or pod has no infra container: invalid argument');
  throw unrecognized(text);
}

export function parseIpcNamespace(text: string): NamespaceWishes['ipc'] {
  return text === 'none' || text === 'shareable' ? { kind: text } : parseNamespace(text);
}

export function parseUserNamespace(text: string): UserNamespaceMode | undefined {
  const [kind, options] = splitOnce(text);
  if (kind === 'keep-id') return parseKeepId(options);
  if (kind === 'auto') return parseAuto(options);
  if (text === 'nomap') return { kind: 'nomap' };
  return parseNamespace(text);
}

function parseKeepId(text: string | undefined): UserNamespaceMode {
  const mode: { uid?: number; gid?: number; size?: number } = {};
  for (const [key, value] of optionPairs(text)) {
    if (key !== 'uid' && key !== 'gid' && key !== 'size') throw unknownOption(key);
    mode[key] = parseUint(value, 32);
  }
  return { kind: 'keep-id', ...mode };
}

function parseAuto(text: string | undefined): UserNamespaceMode {
  let size: number | undefined;
  const uids: IdRange[] = [];
  const gids: IdRange[] = [];
  for (const [key, value] of optionPairs(text)) {
    if (key === 'size') size = parseUint(value, 32);
    else if (key === 'uidmapping') uids.push(...parseIdMappings([value]));
    else if (key === 'gidmapping') gids.push(...parseIdMappings([value]));
    else throw unknownOption(key);
  }
  return { kind: 'auto', ...(size !== undefined && { size }), ...(uids.length > 0 && { uids }), ...(gids.length > 0 && { gids }) };
}

function optionPairs(text: string | undefined): [key: string, value: string][] {
  if (text === undefined || text === '') return [];
  return text.split(',').map((option) => {
    const equals = option.indexOf('=');
    if (equals < 0) throw unknownOption(option);
    return [option.slice(0, equals), option.slice(equals + 1)];
  });
}

function splitOnce(text: string): [kind: string, value: string | undefined] {
  const colon = text.indexOf(':');
  return colon < 0 ? [text, undefined] : [text.slice(0, colon), text.slice(colon + 1)];
}

function needed(mode: string, value: string): string {
  if (value === '') throw invalid(`invalid config provided: namespace mode ${mode} requires a value`);
  return value;
}

function unknownOption(key: string): Error {
  return invalid(`unknown option specified: ${JSON.stringify(key)}`);
}

function unrecognized(text: string): Error {
  return invalid(`unrecognized namespace mode ${text} passed`);
}
