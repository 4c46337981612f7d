import { randomInt } from '../../host/random.ts';

// Lichens and what they are like: our own word list, in the adjective_noun shape that scripts expect.
const ADJECTIVES =
  'amber ashen bold bright brisk calm clever cool crisp dusky eager early fond frosty gentle golden green grey hardy honest humble jolly keen kind lively loyal lucid mellow mild mossy neat nimble noble olive pale patient plain proud quick quiet ready rosy rugged rustic serene sharp silent silver sleek slow smooth snug solid spry stark steady still stout subtle sunny sure swift tidy tough vivid warm wary wild wise witty young zesty'.split(
    ' ',
  );
const NOUNS =
  'acharius aspen basalt beard birch boulder bryoria caloplaca cedar cetraria cladonia cliff cora crag crust dune evernia fell fern fjord flint foliose gneiss granite graphis grove heath hollow juniper ledge letharia limestone lobaria marble meadow moor moss oak orchil parmelia peak pebble peltigera physcia pine quartz ramalina reef ridge rock rowan sandstone scree shale slate spruce squamule stone summit tarn thallus trunk tundra usnea verrucaria wall xanthoria'.split(
    ' ',
  );

/** A name for a container that was given none: `mossy_granite`. `isTaken` is asked; after many tries a number is added. */
export function randomName(isTaken: (name: string) => boolean): string {
  for (let attempt = 0; ; attempt++) {
    const base = `${ADJECTIVES[randomInt(ADJECTIVES.length)]}_${NOUNS[randomInt(NOUNS.length)]}`;
    const name = attempt < 8 ? base : `${base}${randomInt(10 ** Math.min(attempt - 7, 9))}`;
    if (!isTaken(name)) return name;
  }
}
