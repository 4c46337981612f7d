/** Every case of test/fixtures/quadlet/cases.txt, against what Podman's generator makes of it (test/parity/record-quadlet.ts). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { convertAll } from '../../libpod/quadlet/convert.ts';
import { GROUP, KINDS, keysOf } from '../../libpod/quadlet/keys.ts';
import { loadSources } from '../../libpod/quadlet/search.ts';
import { QUADLET_GOLDENS, type QuadletCase, quadletCases, unpackCase } from '../fixtures/quadlet/cases.ts';

const PODMAN = '/usr/bin/podman';
const USER = { uid: 1000, rootless: true, env: {} };

/** Where we differ on purpose (docs/differences.md): what Podman says, made into what we say. */
const OURS: Readonly<Record<string, (text: string) => string>> = {
  // An empty word took the next flag for its value.
  'container-empty-values': (text) => text.replace('--log-driver  --cgroups', '--cgroups'),
  // There systemd reads such an escape as x20.
  'container-mounts': withSpace,
  'container-volumes': withSpace,
  // Such a word is a variable for systemd, with a name that none has.
  'container-small-keys': (text) => text.replace('--workdir "$HOME/', () => '--workdir "$$HOME/'),
  // A value that goes on in a comment at the end of the file was lost.
  'continued-lines': (text) => text.replace('Exec=onetwo three four\n', '$&Label=a=\n').replace('localhost/bb:1 onetwo', '--label a= $&'),
  'install-section': (text) => text.replace('link c.service -> c.service\n', ''),
  'parse-bad-key': (text) =>
    text.replace(
      /(?=^processing)/m,
      ['Image-x', 'Imäge'].map((key) => `unsupported key '${key}' in group 'Container' in /units/bad.container\n`).join(''),
    ),
  // The good file has its unit.
  'parse-bad-line': (text) =>
    text +
    afterHead(goldenText('container-least'))
      .replaceAll(/(?<=---|\/)a(?=\.service|\.container)/g, 'good')
      .replaceAll('latest', '1'),
  // Values with such an escape were dropped, and the units ran something else.
  'parse-bad-escape': () => 'exit 1\n',
  'parse-quote-open': (text) => text.replace('-d localhost/bb:1\n', '-d --sysctl open localhost/bb:1\n'),
  // The second unit took the place of the first.
  'same-service-twice': (text) =>
    text.replace('exit 0', 'exit 1\na.service is made of a.container already').replace(/(?<=---a\.service---.*)---a\.service---.*/s, ''),
  // A semicolon of its own begins another command, for which systemd refuses the unit; a word like $(id) is a variable for it, and empty.
  'values-that-systemd-reads': (text) =>
    text
      .replace(/(?<=^ExecStart.*) ; /m, ' ";" ')
      .replace('--hostname $(', () => '--hostname $$(')
      .replace('--user "$(', () => '--user "$$('),
};

function withSpace(text: string): string {
  return text.replace(String.raw`RequiresMountsFor="/with\x20space"`, 'RequiresMountsFor="/with space"');
}

test.each(quadletCases())('$name', (one) => {
  expect(generate(one)).toEqual(golden(one.name));
});

test.each(KINDS)('every key of a .%s file is in a case', (kind) => {
  const texts = quadletCases().flatMap(({ files }) => files.map(({ text = '' }) => text));
  const groups = texts.flatMap((text) => text.split(/^(?=\[)/m).filter((group) => group.startsWith(`[${GROUP[kind]}]`)));
  const written = new Set(groups.flatMap((group) => [...group.matchAll(/^(\w+)=/gm)].map(([, key]) => key)));
  expect(keysOf(kind, GROUP[kind])!.filter((key) => !written.has(key))).toEqual([]);
});

function generate(one: QuadletCase): object {
  using unpacked = unpackCase(one);
  const { directory } = unpacked;
  const { sources, problems } = loadSources([directory], USER);
  const around = {
    sources,
    rootless: true,
    program: PODMAN,
    missing: {},
    missingKeys: {},
    account: () => 0,
    deviceExists: (path: string) => path === '/dev/null',
  };
  const { units, problems: more } = convertAll(around);
  const all = [...problems, ...more];
  return {
    failed: all.some(({ severity }) => severity === 'error'),
    errors: all
      .filter(({ severity, message }) => severity === 'error' && message !== 'unsupported escape char')
      .map(({ message }) => message.replaceAll(directory, '/units'))
      .toSorted(),
    links: units.flatMap(({ links }) => links.map(({ path, target }) => `${path} -> ${target}`)).toSorted(),
    units: Object.fromEntries(units.map(({ name, text }) => [name, canonical(text.replaceAll(directory, '/units'))])),
  };
}

function goldenText(name: string): string {
  return readFileSync(join(QUADLET_GOLDENS, `${name}.txt`), 'utf8');
}

function afterHead(text: string): string {
  return text.slice(text.indexOf('\n---'));
}

function golden(name: string): object {
  const recorded = goldenText(name);
  const text = OURS[name]?.(recorded) ?? recorded;
  if (name in OURS) expect(text).not.toBe(recorded);
  const [head = '', ...units] = text.split(/^---(?=[^\n]*---$)/m);
  const lines = head.split('\n');
  return {
    failed: lines[0] !== 'exit 0',
    errors: lines
      .map((line) => /^(?:converting "[^"]*": )?(.*)$/.exec(line)![1]!)
      .filter((line) => line !== '' && !/^(?:exit|link|Warning:|No files parsed|processing enc|unsupported escape)/.test(line))
      .toSorted(),
    links: lines.flatMap((line) => (line.startsWith('link ') ? [line.slice(5)] : [])).toSorted(),
    units: Object.fromEntries(
      units.map((unit) => {
        const end = unit.indexOf('---\n');
        return [unit.slice(0, end), canonical(unit.slice(end + 4))];
      }),
    ),
  };
}

/** The lines of each group in alphabetical order; in commands what belongs to a flag keeps its order, flags do not. */
function canonical(unit: string): Readonly<Record<string, readonly string[]>> {
  const groups: Record<string, string[]> = {};
  let lines: string[] = (groups['head'] = []);
  for (const line of unit.split('\n')) {
    const group = /^\[(.*)\]$/.exec(line)?.[1];
    if (group !== undefined) lines = groups[group] ??= [];
    else if (line.trim() !== '') lines.push(/^Exec\w+=-?\/usr\/bin\/podman/.test(line) ? canonicalCommand(line) : line.trim());
  }
  return Object.fromEntries(Object.entries(groups).map(([group, all]) => [group, group.startsWith('X-') ? all : all.toSorted()]));
}

/** Flags that stand alone. */
const ALONE =
  /^(?:-[df]|--(?:rm|replace|init|env-host|http-proxy|read-only|read-only-tmpfs|ignore|ipv6|internal|disable-dns|tls-verify|all-tags|quiet|force))$/;

function canonicalCommand(line: string): string {
  const words = line.match(/"(?:[^"\\]|\\.)*"|[^\s"]+/g) ?? [];
  const pieces: { flag: string; text: string }[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    const flag = /^"?(-[^=]*)/.exec(word)?.[1] ?? '';
    const takesNext = flag !== '' && !word.includes('=') && !ALONE.test(word) && words[at + 1] !== undefined;
    pieces.push({ flag, text: takesNext ? `${word} ${words[++at]}` : word });
  }
  return pieces
    .toSorted((a, b) => (a.flag < b.flag ? -1 : a.flag > b.flag ? 1 : 0))
    .map(({ text }) => text)
    .join(' ');
}
