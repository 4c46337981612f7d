/** The rules of check.ts, in BuildKit's words (frontend/dockerfile/linter/ruleset.go). */
import { isEngineError } from '../../core/errors.ts';
import { parseReference } from '../../storage/reference.ts';
import type { CheckFacts, Warning } from './check.ts';
import { expandedOrNot } from './expand.ts';
import type { Instruction } from './scan.ts';
import type { Statement, StatementOf } from './statement.ts';

export interface StagePart {
  readonly from: StatementOf<'from'>;
  readonly statements: readonly Statement[];
  readonly above: readonly StagePart[];
}

interface StageFacts extends CheckFacts {
  /** ARGs that are there without being declared, and those before the first FROM. */
  readonly predefined: ReadonlySet<string>;
}

function warning({ source, place, placeOf, text }: Instruction, rule: string, message: string, word?: string | number): Warning {
  const at = typeof word === 'number' ? word : word === undefined ? -1 : text.indexOf(word);
  return { rule, message, source, place: at < 0 ? place : placeOf(at) };
}

const SECRET = /(?:_|^)(?:apikey|auth|credentials?|key|password|pword|passwd|secret|token)(?:_|$)/i;
const PUBLIC = /(?:_|^)public(?:_|$)/i;

/** What an instruction says by itself, and how all of them are written. */
export function ofInstructions(statements: readonly Statement[]): readonly Warning[] {
  const capitals = statements.filter(({ at }) => at.typedName === at.typedName.toUpperCase()).length;
  const majority = 2 * capitals >= statements.length ? 'uppercase' : 'lowercase';
  return statements.flatMap((statement) => [
    ...ofCasing(statement, majority),
    ...ofEmptyLines(statement),
    ...ofSecrets(statement),
    ...ofForm(statement),
  ]);
}

function ofCasing({ at }: Statement, majority: 'uppercase' | 'lowercase'): readonly Warning[] {
  const wanted = majority === 'uppercase' ? at.typedName.toUpperCase() : at.typedName.toLowerCase();
  if (at.typedName === wanted) return [];
  return [
    warning(at, 'ConsistentInstructionCasing', `Command '${at.typedName}' should match the case of the command majority (${majority})`),
  ];
}

function ofEmptyLines({ at }: Statement): readonly Warning[] {
  const { source, place, lastLine, heredocs } = at;
  if (heredocs.length > 0) return [];
  const empty = source.lines.slice(place.line - 1, lastLine).findIndex((line) => line.trim() === '');
  if (empty < 0) return [];
  return [{ rule: 'NoEmptyContinuation', message: 'Empty continuation line', source, place: { line: place.line + empty, column: 1 } }];
}

function ofSecrets(statement: Statement): readonly Warning[] {
  const names =
    statement.kind === 'arg'
      ? statement.args.map(({ name }) => name)
      : statement.kind === 'env'
        ? statement.pairs.map(({ rawName }) => rawName)
        : [];
  const { at } = statement;
  return names
    .filter((name) => SECRET.test(name) && !PUBLIC.test(name))
    .map((name) =>
      warning(
        at,
        'SecretsUsedInArgOrEnv',
        `Do not use ARG or ENV instructions for sensitive data (${at.name} ${JSON.stringify(name)})`,
        name,
      ),
    );
}

function ofForm(statement: Statement): readonly Warning[] {
  const { at, kind } = statement;
  if (kind === 'maintainer') return [warning(at, 'MaintainerDeprecated', 'Maintainer instruction is deprecated in favor of using label')];
  if ((kind === 'env' || kind === 'label') && !/^\S*=/.test(at.rest))
    return [warning(at, 'LegacyKeyValueFormat', `"${at.name} key=value" should be used instead of legacy "${at.name} key value" format`)];
  if (kind !== 'expose') return [];
  return statement.raws.flatMap((raw) => {
    const [, protocol = ''] = /\/([A-Za-z]+)$/.exec(raw) ?? [];
    if (raw.includes(':') && !raw.includes('$'))
      return [
        warning(at, 'ExposeInvalidFormat', `EXPOSE instruction should not define an IP address or host-port mapping, found '${raw}'`, raw),
      ];
    return protocol === protocol.toLowerCase()
      ? []
      : [warning(at, 'ExposeProtoCasing', `Defined protocol '${raw}' in EXPOSE instruction should be lowercase`, raw)];
  });
}

const RESERVED = ['context', 'scratch'];

/** Of the ARGs before the first stage. */
export interface FromFacts {
  readonly declared: ReadonlySet<string>;
  readonly defaults: ReadonlyMap<string, string>;
  readonly escape: '\\' | '`';
}

/** How stages are called and what they begin with. */
export function ofStages(parts: readonly StagePart[], facts: FromFacts): readonly Warning[] {
  return parts.flatMap(({ from, above }) => {
    const { at, stageName, rawPlatform } = from;
    const [, word = '', typed = ''] = /\s(as)\s+(\S+)\s*$/i.exec(at.text) ?? [];
    const found: Warning[] = [];
    const nameAt = at.text.lastIndexOf(typed);
    const add = (rule: string, message: string, place: string | number): void => void found.push(warning(at, rule, message, place));
    if (typed !== typed.toLowerCase()) add('StageNameCasing', `Stage name '${typed}' should be lowercase`, nameAt);
    if (word !== '' && (word === word.toUpperCase()) !== (at.typedName === at.typedName.toUpperCase()))
      add('FromAsCasing', `'${word}' and '${at.typedName}' keywords' casing do not match`, ` ${word} `);
    if (stageName !== undefined && above.some((other) => other.from.stageName === stageName))
      add('DuplicateStageName', `Duplicate stage name ${JSON.stringify(stageName)}, stage names should be unique`, nameAt);
    if (stageName !== undefined && RESERVED.includes(stageName))
      add('ReservedStageName', `Stage name should not use the same name as reserved stage ${JSON.stringify(stageName)}`, nameAt);
    if (/^\$\{?TARGETPLATFORM\}?$/.test(rawPlatform ?? ''))
      add(
        'RedundantTargetPlatform',
        `Setting platform to predefined ${rawPlatform} in FROM is redundant as this is the default behavior`,
        '--platform',
      );
    else if (rawPlatform !== undefined && !rawPlatform.includes('$'))
      add(
        'FromPlatformFlagConstDisallowed',
        `FROM --platform flag should not use constant value ${JSON.stringify(rawPlatform)}`,
        '--platform',
      );
    for (const name of variablesIn(from.raw))
      if (!facts.declared.has(name) && !/^(TARGET|BUILD)(PLATFORM|OS|ARCH|VARIANT)$/.test(name))
        add('UndefinedArgInFrom', `FROM argument '${name}' is not declared`, from.raw);
    if (!hasBase(from.raw, facts))
      add('InvalidDefaultArgInFrom', `Default value for ARG ${from.raw} results in empty or invalid base image name`, from.raw);
    return found;
  });
}

/** With the defaults of ARGs, whatever `--build-arg` says. */
function hasBase(raw: string, { defaults, escape }: FromFacts): boolean {
  const name = raw.includes('$') ? expandedOrNot(raw, { escape, value: (arg) => defaults.get(arg) }) : undefined;
  if (name === undefined) return true;
  try {
    parseReference(name);
    return true;
  } catch (error) {
    if (isEngineError(error, 'INVALID_REFERENCE')) return false;
    throw error;
  }
}

const ONCE = ['cmd', 'entrypoint', 'healthcheck'];
const EXPANDED = ['env', 'label', 'copy', 'add', 'workdir', 'user', 'expose', 'volume', 'stopsignal'];

/** What the steps of a stage say together. */
export function ofStage(part: StagePart, facts: StageFacts): readonly Warning[] {
  const { statements } = part;
  const found: Warning[] = [];
  let hasShell = false;
  let hasAbsoluteWorkdir = false;
  const known = variablesAbove(part, facts);
  for (const [index, statement] of statements.entries()) {
    const { at, kind } = statement;
    if (ONCE.includes(kind) && statements.slice(index + 1).some((other) => other.kind === kind))
      found.push(
        warning(
          at,
          'MultipleInstructionsDisallowed',
          `Multiple ${at.name} instructions should not be used in the same stage because only the last one will be used`,
        ),
      );
    hasShell ||= kind === 'shell';
    if ((kind === 'cmd' || kind === 'entrypoint') && 'line' in statement.command && !hasShell)
      found.push(
        warning(
          at,
          'JSONArgsRecommended',
          `JSON arguments recommended for ${at.name} to prevent unintended behavior related to OS signals`,
        ),
      );
    if (kind === 'workdir') {
      if (!/^["']?[/$]/.test(statement.raw) && !hasAbsoluteWorkdir)
        found.push(
          warning(
            at,
            'WorkdirRelativePath',
            `Relative workdir ${JSON.stringify(statement.raw)} can have unexpected results if the base image changes`,
          ),
        );
      else hasAbsoluteWorkdir = true;
    }
    if (known !== undefined && EXPANDED.includes(kind))
      for (const name of variablesIn(at.text))
        if (!known.has(name)) found.push(warning(at, 'UndefinedVar', `Usage of undefined variable '$${name}'`, `$${name}`));
    if (kind === 'arg') for (const { name } of statement.args) known?.add(name);
    if (kind === 'env') for (const { rawName } of statement.pairs) known?.add(rawName);
    if ((kind === 'copy' || kind === 'add') && statement.rawFrom === undefined)
      for (const raw of statement.rawSources)
        if (!/^\w+:\/\/|[*?[$]/.test(raw) && facts.isIgnored(relativeOf(raw)))
          found.push(
            warning(
              at,
              'CopyIgnoredFile',
              `Attempting to ${at.name === 'COPY' ? 'Copy' : 'Add'} file ${JSON.stringify(raw)} that is excluded by .dockerignore`,
              raw,
            ),
          );
  }
  return found;
}

/** Undefined where a base is not known: then nothing can be said of any variable. */
function variablesAbove({ from, above }: StagePart, facts: StageFacts): Set<string> | undefined {
  const base = above.findLast((part) => part.from.stageName === from.raw.toLowerCase());
  if (base === undefined) {
    const names = from.raw === 'scratch' ? ['PATH'] : facts.variablesOf(from.raw);
    return names === undefined ? undefined : new Set([...names, ...facts.predefined]);
  }
  const known = variablesAbove(base, facts);
  for (const statement of base.statements) {
    if (statement.kind === 'env') for (const { rawName } of statement.pairs) known?.add(rawName);
    if (statement.kind === 'arg') for (const { name } of statement.args) known?.add(name);
  }
  return known;
}

/** Those that have no other word in their place. */
function variablesIn(text: string): readonly string[] {
  return [...text.replaceAll(/'[^']*'|\\\$/g, '').matchAll(/\$(?:(\w+)|\{(\w+)\})/g)].map(([, plain, braced]) => (plain ?? braced)!);
}

function relativeOf(raw: string): string {
  return raw
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/');
}
