/** `--mount type=…,src=…,dst=…,…`: CSV of keys with or without a value. */
import { parseCsvLine } from '../../../core/csv.ts';
import { parseSizeBytes } from '../../../core/size.ts';
import type { GlobWish, MountWish } from '../wish.ts';
import { invalid } from './go.ts';
import { checkTarget, checkVolumeName } from './volume.ts';

const TYPES = ['bind', 'volume', 'tmpfs', 'ramfs', 'devpts', 'image', 'artifact', 'glob'] as const;
type MountType = (typeof TYPES)[number];

interface Field {
  readonly key: string;
  /** Undefined where there is no `=`. */
  readonly value: string | undefined;
}

/** What the fields add up to. */
interface Draft {
  source: string | undefined;
  target: string | undefined;
  subpath: string | undefined;
  title: string | undefined;
  digest: string | undefined;
  name: string | undefined;
  writable: boolean | undefined;
  readonly options: string[];
}

/** Throws INVALID_ARGUMENT with Podman's words. `type` may stand anywhere and is `volume` where absent. */
export function parseMount(text: string): MountWish | GlobWish {
  if (/^[^"]*[\r\n]/.test(text)) throw invalid('record on line 2: wrong number of fields');
  const fields = parseCsvLine(text).map(parseField);
  if (fields.length === 0) {
    throw invalid(
      'incorrect mount format: should be --mount type=<bind|glob|tmpfs|volume>,[src=<host-dir|volume-name>,]target=<ctr-dir>[,options]',
    );
  }
  const type = mountType(fields);
  const draft: Draft = {
    source: undefined,
    target: undefined,
    subpath: undefined,
    title: undefined,
    digest: undefined,
    name: undefined,
    writable: undefined,
    options: [],
  };
  const seen = new Set<string>();
  for (const field of fields) {
    if (field.key === 'type') {
      once(seen, 'type', () => 'type: invalid mount option');
      continue;
    }
    takeField(type, field, draft, seen);
  }
  return finish(type, draft);
}

function parseField(text: string): Field {
  const equals = text.indexOf('=');
  return equals < 0 ? { key: text, value: undefined } : { key: text.slice(0, equals), value: text.slice(equals + 1) };
}

function mountType(fields: readonly Field[]): MountType {
  const word = fields.find(({ key }) => key === 'type');
  if (word === undefined) return 'volume';
  const known = TYPES.find((type) => type === word.value);
  if (known === undefined) throw invalid(`invalid filesystem type ${JSON.stringify(word.value ?? '')}`);
  return known;
}

/** Fields that every type knows, then those of some. */
function takeField(type: MountType, { key, value }: Field, draft: Draft, seen: Set<string>): void {
  switch (key) {
    case 'src':
    case 'source':
      if (type === 'tmpfs' || type === 'ramfs' || type === 'devpts')
        throw invalid(`"${key}" option not supported for "${type}" mount types`);
      once(seen, 'source', () => `cannot pass "${key}" option more than once: must provide an argument for option`);
      draft.source = needValue(key, value);
      return;
    case 'dst':
    case 'destination':
    case 'target':
      once(seen, 'target', () => `cannot pass "${key}" option more than once: must provide an argument for option`);
      draft.target = checkTarget(needValue(key, value));
      return;
    case 'consistency':
      return;
    default:
  }
  const take = Object.hasOwn(FIELDS[type], key) ? FIELDS[type][key] : undefined;
  if (take === undefined) throw invalid(`${key}: invalid mount option`);
  take(draft, { key, value }, seen);
}

type Take = (draft: Draft, field: Field, seen: Set<string>) => void;

const plain: Take = (draft, { key }) => void draft.options.push(key);
const withValue: Take = (draft, { key, value }) => void draft.options.push(`${key}=${needValue(key, value)}`);

const readOnly: Take = (draft, { key, value }, seen) => {
  once(seen, 'readonly', () => "cannot pass 'readonly', 'ro', or 'rw' mnt.Options more than once: must provide an argument for option");
  const said = value === undefined || isTrue(value);
  draft.options.push(said === (key !== 'rw') ? 'ro' : 'rw');
};

const chown: Take = (draft, { value }, seen) => {
  once(seen, 'chown', () => "cannot pass 'U' or 'chown' option more than once: must provide an argument for option");
  if (value === undefined || isTrue(value)) draft.options.push('U');
};

const relabel: Take = (draft, { key, value }, seen) => {
  once(seen, 'relabel', () => "cannot pass 'relabel' option more than once: must provide an argument for option");
  const word = needValue(key, value);
  if (word !== 'shared' && word !== 'private') throw invalid("relabel mount option must be 'private' or 'shared': invalid mount option");
  draft.options.push(word === 'shared' ? 'z' : 'Z');
};

const PROPAGATIONS = ['private', 'rprivate', 'slave', 'rslave', 'shared', 'rshared', 'unbindable', 'runbindable'];

const propagation: Take = (draft, { key, value }) => {
  const word = needValue(key, value);
  if (!PROPAGATIONS.includes(word)) throw invalid(`invalid value ${JSON.stringify(`${key}=${word}`)}`);
  draft.options.push(word);
};

const nonRecursive: Take = (draft, { value }) => {
  if (value === undefined || isTrue(value)) draft.options.push('bind');
};

const idmap: Take = (draft, { value }) => void draft.options.push(value === undefined ? 'idmap' : `idmap=${value}`);

const subpath: Take = (draft, { key, value }, seen) => {
  once(seen, 'subpath', () => `cannot pass "${key}" option more than once: must provide an argument for option`);
  const path = needValue(key, value);
  draft.subpath = path;
};

function textOf(field: 'digest' | 'title' | 'name'): Take {
  return (draft, { key, value }, seen) => {
    once(seen, field, () => `cannot pass "${key}" option more than once: must provide an argument for option`);
    draft[field] = needValue(key, value);
  };
}

const tmpfsSize: Take = (draft, { key, value }) => {
  const size = needValue(key, value);
  parseSizeBytes(size.endsWith('%') ? size.slice(0, -1) : size);
  draft.options.push(`size=${size}`);
};

const imageWritable: Take = (draft, { value }) => {
  if (value !== 'true' && value !== 'false') throw invalid(`invalid rw value "${value ?? ''}": invalid mount option`);
  draft.writable = value === 'true';
};

const BIND_AND_VOLUME: Readonly<Record<string, Take>> = {
  ...allAs([...PROPAGATIONS, 'bind', 'rbind'], plain),
  ...allAs(['nodev', 'dev', 'noexec', 'exec', 'nosuid', 'suid', 'noatime', 'no-dereference'], plain),
  ...allAs(['ro', 'readonly', 'rw'], readOnly),
  ...allAs(['U', 'chown'], chown),
  ...allAs(['z', 'Z', 'O'], plain),
  relabel,
  idmap,
};
const TMPFS: Readonly<Record<string, Take>> = {
  ...allAs(PROPAGATIONS, plain),
  ...allAs(['nodev', 'dev', 'noexec', 'exec', 'nosuid', 'suid', 'tmpcopyup', 'notmpcopyup', 'noatime'], plain),
  ...allAs(['ro', 'readonly', 'rw'], readOnly),
  ...allAs(['U', 'chown'], chown),
  'tmpfs-size': tmpfsSize,
  'tmpfs-mode': (draft, { key, value }) => void draft.options.push(`mode=${needValue(key, value)}`),
};
const FIELDS: Readonly<Record<MountType, Readonly<Record<string, Take>>>> = {
  bind: { ...BIND_AND_VOLUME, 'bind-propagation': propagation, 'bind-nonrecursive': nonRecursive },
  volume: { ...BIND_AND_VOLUME, ...allAs(['subpath', 'volume-subpath'], subpath), 'volume-opt': withValue },
  tmpfs: TMPFS,
  ramfs: TMPFS,
  devpts: allAs(['uid', 'gid', 'mode', 'max'], withValue),
  image: { rw: imageWritable, readwrite: imageWritable, ...allAs(['subpath', 'image-subpath'], subpath) },
  artifact: { digest: textOf('digest'), title: textOf('title'), name: textOf('name') },
  glob: { ...BIND_AND_VOLUME, 'bind-propagation': propagation, 'bind-nonrecursive': nonRecursive },
};

function finish(type: MountType, draft: Draft): MountWish | GlobWish {
  const { source, target, subpath: path, writable, options } = draft;
  if (type === 'image') {
    if (source === undefined || target === undefined) throw invalid('must set source and destination for image volume');
    if (path !== undefined && !path.startsWith('/')) throw invalid(`volume subpath ${JSON.stringify(path)} must be an absolute path`);
    return { type, source, target, options, writable: writable ?? false, ...(path !== undefined && { subpath: path }) };
  }
  if (type === 'artifact') return artifactWish(draft);
  if (type === 'glob') return { type, pattern: source ?? '', options, ...(target !== undefined && { target }) };
  if (target === undefined) throw invalid('must set volume destination');
  switch (type) {
    case 'bind':
      return { type, source: source ?? target, target, options };
    case 'volume':
      if (source !== undefined) checkVolumeName(source);
      return { type, target, options, ...(source !== undefined && { name: source }), ...(path !== undefined && { subpath: path }) };
    default:
      return { type, target, options };
  }
}

function artifactWish({ source, target, title, digest, name, options }: Draft): MountWish {
  if (source === undefined || target === undefined) throw invalid('must set source and destination for artifact volume');
  return {
    type: 'artifact',
    source,
    target,
    options,
    ...(title !== undefined && { title }),
    ...(digest !== undefined && { digest }),
    ...(name !== undefined && { fileName: name }),
  };
}

function allAs<T>(keys: readonly string[], value: T): Record<string, T> {
  return Object.fromEntries(keys.map((key) => [key, value]));
}

function needValue(key: string, value: string | undefined): string {
  if (value === undefined || value === '') throw invalid(`${key}: must provide an argument for option`);
  return value;
}

function once(seen: Set<string>, what: string, message: () => string): void {
  if (seen.has(what)) throw invalid(message());
  seen.add(what);
}

/** Podman reads everything but a clear yes as no here (`ro=x` is read-write). */
function isTrue(text: string): boolean {
  return ['1', 't', 'true'].includes(text.toLowerCase());
}
