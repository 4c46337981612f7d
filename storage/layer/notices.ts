/** Things of a layer that this machine cannot keep, said once per kind. */
const WORDS = {
  device: 'devices are left out: a user namespace cannot make them',
  'whiteout-device': 'character devices 0:0 are left out: overlayfs would take them for deleted files',
  owner: 'owners are noted, but in containers all belongs to root: only one user id is mapped',
  'overlay-xattr': 'extended attributes that overlayfs and lichen keep their own state in are left out',
  xattr: 'extended attributes that the file system does not take are left out',
} as const;

export type NoticeKind = keyof typeof WORDS;

export class Notices {
  readonly #first = new Map<NoticeKind, { readonly path: string; count: number }>();

  add(kind: NoticeKind, path: Buffer): void {
    const known = this.#first.get(kind);
    if (known) known.count++;
    else this.#first.set(kind, { path: path.toString('utf8', 0, 200), count: 1 });
  }

  /** One line for each kind: `devices are left out …: "dev/null" and 3 more`. */
  lines(): readonly string[] {
    return [...this.#first].map(
      ([kind, { path, count }]) => `${WORDS[kind]}: ${JSON.stringify(path)}${count > 1 ? ` and ${count - 1} more` : ''}`,
    );
  }
}
