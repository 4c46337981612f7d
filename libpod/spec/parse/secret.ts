/** `--secret NAME[,type=mount|env][,target=…][,uid=…][,gid=…][,mode=…]`. */
import type { SecretWish } from '../wish.ts';
import { invalid } from './go.ts';

const READ_BY_ALL = 0o444;
/** uid_t and gid_t have 32 bits. */
const ID_LIMIT = 2 ** 32;

/** A first word that is no `key=value` is the source; a text without a comma is nothing else. Throws INVALID_ARGUMENT with Podman's words. */
export function parseSecret(text: string): SecretWish {
  const words = text.split(',');
  if (words.length === 1) return { kind: 'mount', source: text, uid: 0, gid: 0, mode: READ_BY_ALL };
  const isNamed = !words[0]!.includes('=') && words[0] !== '';
  const draft: Draft = {
    source: isNamed ? words[0] : undefined,
    kind: 'mount',
    target: undefined,
    uid: 0,
    gid: 0,
    mode: READ_BY_ALL,
    owned: false,
  };
  for (const word of isNamed ? words.slice(1) : words) takeOption(draft, word);
  const { source, kind, target, uid, gid, mode } = draft;
  if (source === undefined || source === '') throw wrong(`no source found ${text}`);
  const named = target === undefined ? {} : { target };
  if (kind === 'mount') return { kind, source, uid, gid, mode, ...named };
  if (draft.owned) throw wrong('UID, GID, Mode options cannot be set with secret type env');
  return { kind, source, ...named };
}

interface Draft {
  source: string | undefined;
  kind: 'mount' | 'env';
  target: string | undefined;
  uid: number;
  gid: number;
  mode: number;
  /** Owner or mode were said. */
  owned: boolean;
}

function takeOption(draft: Draft, word: string): void {
  const equals = word.indexOf('=');
  if (equals < 0) throw wrong(`option ${word} must be in form option=value`);
  const value = word.slice(equals + 1);
  switch (word.slice(0, equals)) {
    case 'source':
      draft.source = value;
      return;
    case 'type':
      if (value !== 'mount' && value !== 'env') throw wrong(`type ${value} is invalid`);
      draft.kind = value;
      return;
    case 'target':
      draft.target = value;
      return;
    case 'mode':
      draft.mode = parseMode(value);
      draft.owned = true;
      return;
    case 'uid':
      draft.uid = parseId('UID', value);
      draft.owned = true;
      return;
    case 'gid':
      draft.gid = parseId('GID', value);
      draft.owned = true;
      return;
    default:
      throw wrong(`option ${word} invalid`);
  }
}

function parseMode(text: string): number {
  if (!/^(0o?)?[0-7]{1,5}$/.test(text)) throw wrong(`mode ${text} invalid`);
  return Number.parseInt(text.replace(/^0o/, ''), 8);
}

function parseId(kind: string, text: string): number {
  if (!/^\d+$/.test(text) || Number(text) >= ID_LIMIT) throw wrong(`${kind} ${text} invalid`);
  return Number(text);
}

function wrong(message: string): Error {
  return invalid(`${message}: parsing secret`);
}
