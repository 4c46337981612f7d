/**
 * Lines for a container's /etc/passwd and /etc/group: the user it runs as, the caller of a keep-id container, users of this machine that were
 * asked for (podman-run(1), --passwd, --hostuser). Whoever is known in there already gets none, so a second start adds nothing.
 */
import { closeSync, constants, fstatSync, readFileSync, writeFileSync } from 'node:fs';
import { posix } from 'node:path';
import { EngineError } from '../../core/errors.ts';
import { errnoOf } from '../../host/libc.ts';
import type { Root } from '../../host/root.ts';
import { findUser as findHostUser, lookUpUser as lookUpHostUser, type UserRecord } from '../../host/user.ts';
import type { ContainerConfig } from '../spec/container.ts';
import { lookUpUser } from '../spec/user.ts';
import { readInRoot } from './in-root.ts';

/** The caller outside of lichen's user namespace. */
export interface Caller {
  readonly uid: number;
  readonly gid: number;
}

export type AccountFile = '/etc/passwd' | '/etc/group';
const PASSWD = '/etc/passwd';
const GROUP = '/etc/group';

/**
 * Written into the container's own files; where its root is read-only they stay, and what they would be is returned by target.
 * A file that the container does not have is not made, one that something is mounted over is left alone. Throws NO_SUCH_USER, INVALID_ARGUMENT.
 */
export function addAccounts(root: Root, config: ContainerConfig, caller: Caller): Readonly<Partial<Record<AccountFile, Buffer>>> {
  const files = { passwd: accountFile(root, config, PASSWD), group: accountFile(root, config, GROUP) };
  const changed: Partial<Record<AccountFile, Buffer>> = {};
  const passwd = files.passwd === undefined ? '' : passwdLines(config, caller, files);
  const group = files.group === undefined ? '' : groupLines(config, caller, files.group);
  for (const [target, before, lines] of [
    [PASSWD, files.passwd, passwd],
    [GROUP, files.group, group],
  ] as const) {
    if (before === undefined || lines === '') continue;
    const added = `${before.length > 0 && before.at(-1) !== 0x0a ? '\n' : ''}${lines}`;
    if (config.readOnly) changed[target] = Buffer.concat([before, Buffer.from(added)]);
    else append(root, target, added);
  }
  return changed;
}

function accountFile(root: Root, config: ContainerConfig, target: AccountFile): Buffer | undefined {
  return config.mounts.some((mount) => mount.target === target) ? undefined : readInRoot(root, target);
}

interface Files {
  readonly passwd: Buffer | undefined;
  readonly group: Buffer | undefined;
}

function passwdLines(config: ContainerConfig, caller: Caller, files: Files): string {
  const fellow = keptCaller(config, caller);
  const hosts = [...(config.accounts?.hostUsers ?? []).map(hostUser), ...(fellow === undefined ? [] : [fellow])];
  const lines = new Map<number, string>();
  for (const user of hosts) {
    if (knows(files.passwd, user.name) || knows(files.passwd, String(user.uid)) || lines.has(user.uid)) continue;
    lines.set(user.uid, passwdLine(config, { ...user, home: homeOf(config, user) }));
  }
  const [uid, group] = userWords(config);
  if (uid !== undefined && !lines.has(uid) && !knows(files.passwd, String(uid))) {
    const gid = group === '' ? 0 : lookUpUser(`0:${group}`, present(files)).gid;
    lines.set(uid, passwdLine(config, { ...nameOf(uid, files), uid, gid, home: config.workdir }));
  }
  return [...lines.values()].join('');
}

/** Who has the number on this machine; the container may have somebody else of that name. */
function nameOf(uid: number, files: Files): Pick<Account, 'name' | 'fullName'> {
  const user = lookUpHostUser(uid);
  if (user === undefined || knows(files.passwd, user.name)) return { name: String(uid), fullName: 'container user' };
  return { name: user.name, fullName: fullNameOf(user.name) };
}

type Account = UserRecord & { readonly fullName: string };

function passwdLine({ accounts }: ContainerConfig, { name, uid, gid, fullName, home }: Account): string {
  const entry = accounts?.passwdEntry;
  if (entry === undefined) return `${name}:*:${uid}:${gid}:${fullName}:${home}:/bin/sh\n`;
  return `${filledIn(entry, { USERNAME: name, UID: uid, GID: gid, NAME: fullName, HOME: home })}\n`;
}

function groupLines(config: ContainerConfig, caller: Caller, file: Buffer): string {
  const lines = new Map<number, string>();
  const fellow = keptCaller(config, caller);
  const own = fellow && hostGroup(caller.gid);
  if (fellow && own && !knows(file, own.name) && !hasGroup(file, own.gid)) lines.set(own.gid, `${own.name}:x:${own.gid}:${fellow.name}\n`);
  const [userWord = '', groupWord = ''] = config.user.split(':', 2);
  const gid = /^\d+$/.test(groupWord) ? Number(groupWord) : 0;
  if (config.user !== '' && !lines.has(gid) && !hasGroup(file, gid)) lines.set(gid, groupLine(config, gid, userWord));
  return [...lines.values()].join('');
}

function groupLine({ accounts }: ContainerConfig, gid: number, members: string): string {
  const entry = accounts?.groupEntry;
  if (entry === undefined) return `${gid}:x:${gid}:${members}\n`;
  return `${filledIn(entry, { GROUPNAME: gid, GID: gid, USERLIST: members })}\n`;
}

/** Longer names first: `$GID` is no `$GIDS`, and `$NAME` no `$NAMES`. */
function filledIn(entry: string, values: Readonly<Record<string, string | number>>): string {
  return entry.replace(/\$([A-Z]+)/g, (word, name: string) => (Object.hasOwn(values, name) ? String(values[name]) : word));
}

/** The numeric uid that the container was told to run as, and the word for its group. */
function userWords({ user }: ContainerConfig): readonly [uid: number | undefined, group: string] {
  const [word = '', group = ''] = user.split(':', 2);
  return [/^\d+$/.test(word) ? Number(word) : undefined, group];
}

function keptCaller(config: ContainerConfig, caller: Caller): Account | undefined {
  const mode = config.namespaces.user;
  if (mode.kind !== 'keep-id' || mode.uid !== undefined || mode.gid !== undefined || caller.uid === 0) return undefined;
  const user = lookUpHostUser(caller.uid);
  return user && { ...user, fullName: fullNameOf(user.name) };
}

function hostUser(text: string): Account {
  const user = findHostUser(text) ?? (/^\d+$/.test(text) ? lookUpHostUser(Number(text)) : undefined);
  if (user === undefined) throw new EngineError('NO_SUCH_USER', `user: unknown user ${text}`, { exitCode: 126 });
  return { ...user, fullName: fullNameOf(user.name) };
}

/** Up to the first comma, as finger(1) has it. */
function fullNameOf(name: string): string {
  const line = hostLines(PASSWD).find((fields) => fields[0] === name);
  return line?.[4]?.split(',', 1)[0] ?? '';
}

function hostGroup(gid: number): { readonly name: string; readonly gid: number } | undefined {
  const line = hostLines(GROUP).find((fields) => Number(fields[2]) === gid);
  return line?.[0] === undefined ? undefined : { name: line[0], gid };
}

function hostLines(file: AccountFile): string[][] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
}

/** Where the home directory of the host is in the container, too, it is that. */
function homeOf(config: ContainerConfig, { home }: UserRecord): string {
  for (let directory = home; directory.startsWith('/') && directory !== '/'; directory = posix.dirname(directory)) {
    if (config.mounts.some((mount) => mount.target === directory)) return home;
  }
  return config.workdir;
}

/** A name, or as digits a uid. */
function knows(file: Buffer | undefined, word: string): boolean {
  const column = /^\d+$/.test(word) ? 2 : 0;
  return records(file).some((fields) => fields[column] === word);
}

function hasGroup(file: Buffer, gid: number): boolean {
  return records(file).some((fields) => fields[2] === String(gid));
}

function records(file: Buffer | undefined): string[][] {
  return (file?.toString('utf8') ?? '').split('\n').map((line) => line.split(':'));
}

function present({ passwd, group }: Files): { passwd?: Buffer; group?: Buffer } {
  return { ...(passwd && { passwd }), ...(group && { group }) };
}

function append(root: Root, target: AccountFile, text: string): void {
  let fd: number;
  try {
    fd = root.open(target, constants.O_WRONLY | constants.O_APPEND | constants.O_NONBLOCK);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    throw new EngineError('INVALID_ARGUMENT', `adding to ${target} of the container: ${(error as Error).message}`, { cause: error });
  }
  try {
    if (fstatSync(fd).isFile()) writeFileSync(fd, text);
  } finally {
    closeSync(fd);
  }
}
