/** Pure: Quadlet files in, units, links and problems out. What is wrong with one file does not keep the others from their units. */
import { convertContainer } from './container.ts';
import { installLinks, type UnitLink } from './install-section.ts';
import { type Kind, QUADLET_GROUP } from './keys.ts';
import { convertArtifact, convertBuild, convertImage, convertNetwork, convertVolume } from './oneshot.ts';
import { addMember, convertKube, convertPod } from './pod.ts';
import { type MakesUnit, Service, type Surroundings } from './service.ts';
import { type Problem, QuadletError, type Source } from './source.ts';

export interface GeneratedUnit {
  /** `web.service` */
  readonly name: string;
  readonly source: Source;
  readonly text: string;
  readonly links: readonly UnitLink[];
}

export interface Generated {
  readonly units: readonly GeneratedUnit[];
  readonly problems: readonly Problem[];
}

/** Podman's order. */
const PRINTED: readonly Kind[] = ['image', 'artifact', 'network', 'volume', 'build', 'kube', 'container', 'pod'];

/** Each after those that it refers to. The problems are in the order of `around.sources`. */
export function convertAll(around: Surroundings): Generated {
  const sources = [...around.sources.values()];
  const taken = new Map<string, Source>();
  const outcomes = new Map<Source, boolean>();
  const makesUnit = (source: Source): boolean => {
    const known = outcomes.get(source);
    if (known !== undefined) return known;
    outcomes.set(source, true);
    const outcome = convert(source, around, { taken, makesUnit });
    outcomes.set(source, outcome);
    return outcome;
  };
  const done = sources.filter(makesUnit);
  const units = PRINTED.flatMap((kind) => done.filter((source) => source.kind === kind).map(finish));
  return { units, problems: sources.flatMap(({ problems }) => problems) };
}

interface Run {
  /** Whose the names of services are. */
  readonly taken: Map<string, Source>;
  readonly makesUnit: MakesUnit;
}

/** False if the file makes no unit; why is among its problems. */
function convert(source: Source, around: Surroundings, { taken, makesUnit }: Run): boolean {
  let pod: Source | undefined;
  try {
    checkFeatures(source, around);
    source.checkKeys();
    if (source.hasErrors) return false;
    checkServiceName(source, taken);
    const service = new Service(source, around, makesUnit);
    service.begin();
    pod = CONVERTERS[source.kind](service) ?? undefined;
  } catch (error) {
    if (!(error instanceof QuadletError)) throw error;
    source.error(error.message, error.entry, error.hint);
  }
  if (source.hasErrors) return false;
  taken.set(source.service, source);
  if (pod !== undefined) addMember(pod, source);
  return true;
}

function checkFeatures(source: Source, { missing, missingKeys }: Surroundings): void {
  const feature = missing[source.kind];
  if (feature !== undefined) throw new QuadletError(`.${source.kind} files need \`${feature}\`, which is not there yet`);
  for (const [key, why] of Object.entries(missingKeys[source.kind] ?? {})) {
    if (source.text(key) !== undefined) source.fail(`${key} ${why}`, key);
  }
}

const CONVERTERS: Readonly<Record<Kind, (service: Service) => Source | undefined | void>> = {
  artifact: convertArtifact,
  build: convertBuild,
  container: convertContainer,
  image: convertImage,
  kube: convertKube,
  network: convertNetwork,
  pod: convertPod,
  volume: convertVolume,
};

function checkServiceName(source: Source, taken: ReadonlyMap<string, Source>): void {
  const name = source.service;
  const entry = source.unit.last(source.group, 'ServiceName');
  if (!/^[\w:.\\@-]+$/.test(name)) throw new QuadletError(`${name} cannot be the name of a service`, entry);
  const other = taken.get(name);
  if (other !== undefined)
    throw new QuadletError(`${name}.service is made of ${other.file} already`, entry, 'Write ServiceName= in one of them');
}

/** The groups that were ours are kept for those who read the unit; systemd passes over groups that begin with X-. */
function finish(source: Source): GeneratedUnit {
  const name = `${source.service}.service`;
  const links = installLinks(source);
  source.unit.rename(source.group, `X-${source.group}`);
  source.unit.rename(QUADLET_GROUP, `X-${QUADLET_GROUP}`);
  return { name, source, text: source.unit.toString(), links };
}
