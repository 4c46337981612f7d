/**
 * The user of a process, looked up in the container's own passwd and group files (passwd(5), group(5)).
 * The files come from the image: they are data of a stranger. A number is only ever a number (CVE-2024-40635), ids end at 2^31−1,
 * and a file over the size limit is refused rather than read in part.
 */
import { EngineError } from '../../core/errors.ts';
import type { ProcessIdentity } from './container.ts';

export const KEEP_GROUPS = 'keep-groups';
export const MAX_FILE_BYTES = 16 * 1024 * 1024;

const MAX_ID = 2 ** 31 - 1;
/** setgroups(2) takes no more (NGROUPS_MAX). */
const MAX_GROUPS = 65_536;

/** The contents of /etc/passwd and /etc/group; absent where the container has none. */
export interface UserFiles {
  readonly passwd?: Uint8Array;
  readonly group?: Uint8Array;
}

/**
 * `user`, `uid`, `user:group`, `uid:gid`, `:group` or '' (root). With an explicit group the group file's memberships do not count.
 * Throws NO_SUCH_USER, INVALID_ARGUMENT (id out of range, oversized file).
 */
export function lookUpUser(spec: string, files: UserFiles, groupAdd: readonly string[] = []): ProcessIdentity {
  const [userPart, groupPart] = splitOnce(spec, ':');
  const users = parsePasswd(files.passwd);
  const user = findUser(userPart, users);
  const groups = groupPart === '' && groupAdd.length === 0 && user.name === undefined ? [] : parseGroups(files.group);
  const gid = groupPart === '' ? user.gid : findGroup(groupPart, groups);
  const memberships =
    groupPart === '' && spec !== '' && user.name !== undefined
      ? groups.filter(({ members }) => members.includes(user.name ?? '')).map((group) => checkedId(group.gid))
      : [];
  const added = groupAdd.filter((name) => name !== KEEP_GROUPS).map((name) => findGroup(name, groups));
  const additionalGids = [...new Set([...(spec === '' ? [] : [gid]), ...memberships, ...added])];
  if (additionalGids.length > MAX_GROUPS) {
    throw new EngineError('INVALID_ARGUMENT', `user ${JSON.stringify(userPart)} is in more than ${MAX_GROUPS} groups`);
  }
  return { uid: user.uid, gid, additionalGids, home: user.home };
}

interface User {
  readonly name: string | undefined;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

interface Group {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

function findUser(text: string, users: readonly User[]): User {
  const number = text === '' ? 0 : parseNumber(text);
  const found = users.find((user) => (number === undefined ? user.name === text : user.uid === number));
  if (found) {
    checkedId(found.uid);
    checkedId(found.gid);
    return found;
  }
  if (number === undefined) throw noSuch('user', text, 'passwd');
  return { name: undefined, uid: number, gid: 0, home: '/' };
}

function findGroup(text: string, groups: readonly Group[]): number {
  const number = parseNumber(text);
  if (number !== undefined) return number;
  const found = groups.find(({ name }) => name === text);
  if (!found) throw noSuch('group', text, 'group');
  return checkedId(found.gid);
}

/** A number in another notation is a user name to nobody but an image that plays with it. */
function parseNumber(text: string): number | undefined {
  if (/^[+-]?0x[\da-f]+$/i.test(text))
    throw new EngineError('NO_SUCH_USER', `invalid user or group ID ${JSON.stringify(text.slice(0, 100))}`);
  return /^[+-]?\d+$/.test(text) ? checkedId(Number(text)) : undefined;
}

function checkedId(id: number): number {
  if (id >= 0 && id <= MAX_ID) return id;
  throw new EngineError('INVALID_ARGUMENT', `uids and gids must be in range 0-${MAX_ID}`);
}

function noSuch(kind: 'user' | 'group', name: string, file: string): EngineError {
  return new EngineError('NO_SUCH_USER', `unable to find ${kind} ${name}: no matching entries in ${file} file`);
}

/** One more than the highest id of these files. Whoever stands for nobody would ask for all there are. */
export function idsNeeded(files: UserFiles): number {
  const isSomebody = ({ name }: { readonly name?: string | undefined }): boolean => name !== 'nobody' && name !== 'nogroup';
  const users = parsePasswd(files.passwd).filter(isSomebody);
  const groups = parseGroups(files.group).filter(isSomebody);
  return 1 + Math.max(0, ...users.flatMap(({ uid, gid }) => [uid, gid]), ...groups.map(({ gid }) => gid));
}

function parsePasswd(bytes: Uint8Array | undefined): User[] {
  return fields(bytes, 'passwd').flatMap(([name = '', , uid = '', gid = '', , home = '']) =>
    isDigits(uid) && isDigits(gid) ? [{ name, uid: Number(uid), gid: Number(gid), home: home === '' ? '/' : home }] : [],
  );
}

function parseGroups(bytes: Uint8Array | undefined): Group[] {
  return fields(bytes, 'group').flatMap(([name = '', , gid = '', members = '']) =>
    isDigits(gid) ? [{ name, gid: Number(gid), members: members.split(',').map((member) => member.trim()) }] : [],
  );
}

/** Lines that do not have the form are passed over, as the C library does. */
function fields(bytes: Uint8Array | undefined, file: string): string[][] {
  if (bytes === undefined) return [];
  if (bytes.byteLength > MAX_FILE_BYTES) {
    throw new EngineError('INVALID_ARGUMENT', `the container's ${file} file is larger than ${MAX_FILE_BYTES} bytes`);
  }
  return new TextDecoder()
    .decode(bytes)
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#') && !line.includes('\0'))
    .map((line) => line.split(':'));
}

function isDigits(text: string): boolean {
  return /^\d+$/.test(text);
}

function splitOnce(text: string, separator: string): readonly [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}
