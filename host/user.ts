import { readFileSync } from 'node:fs';

export interface UserRecord {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

/** By name, as lookUpUser. */
export function findUser(name: string): UserRecord | undefined {
  return passwd().find((user) => user.name === name);
}

/** The user's line of /etc/passwd. Users that only NSS knows have a name in USER or LOGNAME at best. */
export function lookUpUser(uid: number): UserRecord | undefined {
  return passwd().find((user) => user.uid === uid);
}

function passwd(): readonly UserRecord[] {
  return readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .filter((fields) => fields.length >= 4)
    .map(([name = '', , uid, gid, , home]) => ({ name, uid: Number(uid), gid: Number(gid), home: home ?? '/' }));
}
