import { readFileSync } from 'node:fs';

export interface UserRecord {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

/** The user's line of /etc/passwd. Users that only NSS knows have a name in USER or LOGNAME at best. */
export function lookUpUser(uid: number): UserRecord | undefined {
  for (const line of readFileSync('/etc/passwd', 'utf8').split('\n')) {
    const fields = line.split(':');
    if (fields[2] === String(uid)) return { name: fields[0]!, uid, gid: Number(fields[3]), home: fields[5] ?? '/' };
  }
  return undefined;
}
