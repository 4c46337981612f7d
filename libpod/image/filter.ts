/** Which images a `--filter` means (podman-images(1)). */
import { EngineError } from '../../core/errors.ts';
import { matchGlob } from '../../core/glob.ts';
import { formatReference, parseReference, repositoryOf } from '../../storage/reference.ts';
import type { Engine } from '../engine.ts';
import { GO_BOOLS, hasLabel, untilMs } from '../filters.ts';
import { isList, type ImageRecord } from '../state/images.ts';
import { findImageOrList, lookUpIfName } from './find.ts';
import { lineage } from './parents.ts';

export type ImageTest = (image: ImageRecord) => boolean;

/** What tests look at besides the image itself. */
export interface ImageFacts {
  readonly withChildren: ReadonlySet<string>;
  readonly parentOf: ReadonlyMap<string, string>;
  /** How many containers were made from an image, for those that have any. */
  readonly containers: ReadonlyMap<string, number>;
}

/** The facts as they are now. */
export function imageFacts(engine: Engine, images: readonly ImageRecord[]): ImageFacts {
  const counts = engine.db.all('SELECT image_id, count(*) AS number FROM containers WHERE image_id IS NOT NULL GROUP BY image_id');
  return { ...lineage(images), containers: new Map(counts.map((row) => [String(row['image_id']), Number(row['number'])])) };
}

/** Nameless, and nothing is built on it. */
export function isDangling(image: ImageRecord, { withChildren }: Pick<ImageFacts, 'withChildren'>): boolean {
  return image.names.length === 0 && !withChildren.has(image.id);
}

/**
 * All keys must match; of several values of one key one is enough, but all labels are needed. `key!=value` turns a filter around.
 * Throws INVALID_ARGUMENT, NO_SUCH_IMAGE (before, since).
 */
export async function imageTest(engine: Engine, texts: readonly string[], facts: ImageFacts): Promise<ImageTest> {
  const groups = new Map<string, ImageTest[]>();
  for (const text of texts) {
    const { key, value, negated } = splitFilter(text);
    refuseContradiction(key, texts);
    const test = await makeTest(engine, key, value, facts);
    const group = `${key}${negated ? '!' : ''}`;
    groups.set(group, [...(groups.get(group) ?? []), negated ? (image) => !test(image) : test]);
  }
  const tests = [...groups].map(([group, members]): ImageTest => {
    const all = group === 'label' || group.endsWith('!');
    return (image) => (all ? members.every((member) => member(image)) : members.some((member) => member(image)));
  });
  return (image) => tests.every((test) => test(image));
}

function splitFilter(text: string): { key: string; value: string; negated: boolean } {
  const equals = text.indexOf('=');
  if (equals < 0) throw invalid(text);
  const negated = text[equals - 1] === '!';
  return { key: text.slice(0, negated ? equals - 1 : equals), value: text.slice(equals + 1), negated };
}

async function makeTest(engine: Engine, key: string, value: string, facts: ImageFacts): Promise<ImageTest> {
  switch (key) {
    case 'before': {
      const { createdMs } = await named(engine, key, value);
      return (image) => image.createdMs < createdMs;
    }
    case 'after':
    case 'since': {
      const { createdMs } = await named(engine, key, value);
      return (image) => image.createdMs > createdMs;
    }
    case 'containers': {
      // No other tool puts containers into this store.
      if (value === 'external') return () => false;
      if (!Object.hasOwn(GO_BOOLS, value))
        throw new EngineError('INVALID_ARGUMENT', `unsupported value ${JSON.stringify(value)} for containers filter`);
      return (image) => facts.containers.has(image.id) === GO_BOOLS[value];
    }
    case 'dangling': {
      const wanted = parseBool(key, value);
      return (image) => isDangling(image, facts) === wanted;
    }
    case 'digest':
      return (image) => [image.manifestDigest, image.indexDigest].some((digest) => digest?.startsWith(value) === true);
    case 'id':
      return (image) => image.id.startsWith(value.replace(/^sha256:/, ''));
    case 'intermediate': {
      const wanted = parseBool(key, value);
      return (image) => (image.names.length === 0 && facts.withChildren.has(image.id)) === wanted;
    }
    case 'label':
      return (image) => hasLabel(image.config.config?.Labels ?? {}, value);
    case 'manifest': {
      const wanted = parseBool(key, value);
      return (image) => isList(image) === wanted;
    }
    case 'readonly': {
      // There are no read-only stores.
      const wanted = parseBool(key, value);
      return () => !wanted;
    }
    case 'reference': {
      const found = await lookUpIfName(engine, value);
      return (image) => image.id === found?.image.id || image.names.some((name) => namesMatch(name, value));
    }
    case 'until': {
      const limit = untilMs(value, Date.now());
      return (image) => image.createdMs < limit;
    }
    default:
      throw invalid(key);
  }
}

async function named(engine: Engine, key: string, value: string): Promise<ImageRecord> {
  try {
    return (await findImageOrList(engine, value)).image;
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    throw new EngineError(
      error.code,
      `could not find local image for filter ${JSON.stringify(key)}=${JSON.stringify(value)}: ${error.message}`,
      {
        cause: error,
      },
    );
  }
}

/** The pattern may mean the name with or without registry, namespace and tag (libimage, imageMatchesReferenceFilter). */
function namesMatch(name: string, pattern: string): boolean {
  const reference = parseReference(name);
  const full = formatReference(reference);
  const repository = repositoryOf(reference);
  const suffix = full.slice(repository.length);
  const last = repository.slice(repository.lastIndexOf('/') + 1);
  return [full, repository, reference.path, `${reference.path}${suffix}`, last, `${last}${suffix}`].some((one) => matchGlob(pattern, one));
}

function parseBool(key: string, text: string): boolean {
  if (Object.hasOwn(GO_BOOLS, text)) return GO_BOOLS[text]!;
  // Podman has key and value the other way round in its message.
  throw new EngineError(
    'INVALID_ARGUMENT',
    `non-boolean value ${JSON.stringify(key)} for ${text} filter: strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`,
  );
}

const SINGLE = ['containers', 'dangling', 'intermediate', 'manifest', 'readonly'];

function refuseContradiction(key: string, texts: readonly string[]): void {
  if (!SINGLE.includes(key)) return;
  const values = new Set(texts.filter((text) => text.startsWith(`${key}=`)));
  if (values.size > 1) {
    throw new EngineError(
      'INVALID_ARGUMENT',
      `specifying ${JSON.stringify(key)} filter more than once with different values is not supported`,
    );
  }
}

function invalid(text: string): EngineError {
  return new EngineError(
    'INVALID_ARGUMENT',
    `invalid image filter ${JSON.stringify(text)}: must be in the format "filter=value or filter!=value"`,
  );
}
