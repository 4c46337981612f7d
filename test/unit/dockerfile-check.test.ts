import { expect, test } from 'vitest';
import { checkDockerfile, formatWarning, refuseWarnings } from '../../build/dockerfile/check.ts';
import { parseDockerfile } from '../../build/dockerfile/parse.ts';
import { readSource } from '../../build/dockerfile/source.ts';

const parsed = (text: string) => parseDockerfile(readSource('Dockerfile', Buffer.from(text)));
const facts = {
  isIgnored: (path: string) => path === 'ignored',
  variablesOf: (image: string) => (image === 'known' ? ['PATH', 'OF_BASE'] : undefined),
};
const rules = (text: string): readonly string[] =>
  checkDockerfile(parsed(text), facts).map(({ rule, place }) => `${rule} ${place.line}:${place.column}`);

test.each([
  ['FROM x AS Build', ['StageNameCasing 1:11']],
  ['FROM x as build', ['FromAsCasing 1:7']],
  ['FROM x AS a\nFROM x AS A', ['StageNameCasing 2:11', 'DuplicateStageName 2:11']],
  ['FROM x AS scratch', ['ReservedStageName 1:11']],
  ['FROM x\nrun true\nRUN true', ['ConsistentInstructionCasing 2:1']],
  ['from x\nrun true\nRun true', ['ConsistentInstructionCasing 3:1']],
  ['FROM x\nRUN a \\\n\n  b', ['NoEmptyContinuation 3:1']],
  ['FROM x\nRUN <<EOF\n\nEOF', []],
  ['FROM x\nCMD true', ['JSONArgsRecommended 2:1']],
  ['FROM x\nSHELL ["/bin/bash", "-c"]\nCMD true', []],
  ['FROM x\nCMD ["a"]\nCMD ["b"]', ['MultipleInstructionsDisallowed 2:1']],
  ['FROM x\nMAINTAINER me', ['MaintainerDeprecated 2:1']],
  ['FROM x\nENV A b', ['LegacyKeyValueFormat 2:1']],
  ['FROM x\nENV A=b C="d e"', []],
  ['FROM x\nARG DB_PASSWORD\nENV API_TOKEN=x PUBLIC_KEY=y KEYBOARD=z', ['SecretsUsedInArgOrEnv 2:5', 'SecretsUsedInArgOrEnv 3:5']],
  ['FROM x\nWORKDIR app\nWORKDIR /a\nWORKDIR b', ['WorkdirRelativePath 2:1']],
  ['FROM --platform=linux/amd64 x', ['FromPlatformFlagConstDisallowed 1:6']],
  ['FROM --platform=$TARGETPLATFORM x', ['RedundantTargetPlatform 1:6']],
  ['FROM --platform=$BUILDPLATFORM x', []],
  ['ARG A=x\nFROM $A:${B}', ['UndefinedArgInFrom 2:6', 'InvalidDefaultArgInFrom 2:6']],
  [
    'ARG A\nARG B=x\nARG C=${B}\nFROM $A\nFROM y:$A\nFROM $C:${A:-1}\nFROM $B-$TARGETARCH',
    ['InvalidDefaultArgInFrom 4:6', 'InvalidDefaultArgInFrom 5:6'],
  ],
  ['FROM scratch\nEXPOSE 80/TCP 127.0.0.1:1:2', ['ExposeProtoCasing 2:8', 'ExposeInvalidFormat 2:15']],
  ["FROM known AS a\nARG B\nENV C=$OF_BASE$B D=$E F=${G:-h} I='$J' K=\\$L", ['UndefinedVar 3:20']],
  ['FROM known AS a\nENV C=1\nFROM a\nLABEL c=$C d=$D', ['UndefinedVar 4:14']],
  ['FROM known AS a\nARG B\nFROM a\nLABEL b=$B c=$C', ['UndefinedVar 4:14']],
  ['FROM unknown\nLABEL d=$D', []],
  ['FROM x\nCOPY a ./ignored /\nCOPY --from=x ignored /', ['CopyIgnoredFile 2:8']],
  ['# check=skip=StageNameCasing,FromAsCasing\nFROM x as B', []],
  ['# check=skip=all\nFROM x as B\nMAINTAINER x', []],
])('%j: %j', (text, expected) => {
  expect(rules(text)).toEqual(expected);
});

test('a warning shows its rule, its place and its line, and is an error where the file says so', () => {
  const dockerfile = parsed('# check=error=true\nFROM x AS Build');
  const warnings = checkDockerfile(dockerfile, facts);
  expect(warnings.map(formatWarning)).toEqual([
    "WARNING: StageNameCasing: Stage name 'Build' should be lowercase\nDockerfile:2:11\n  2 | FROM x AS Build\n    |           ^^^^^",
  ]);
  expect(() => refuseWarnings(dockerfile, warnings)).toThrow('lint violation found for rules: StageNameCasing');
  expect(() => refuseWarnings(parsed('FROM x AS Build'), warnings)).not.toThrow();
});
