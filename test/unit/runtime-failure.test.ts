import { expect, test } from 'vitest';
import { lastLoggedError, runtimeError, spokenError } from '../../libpod/runtime/failure.ts';

test('a line of runc’s log on stderr means what is quoted in it', () => {
  const line = String.raw`time="2026-11-27T02:49:29Z" level=error msg="container \"abc\" does not exist"`;
  expect(spokenError(line)).toBe('container "abc" does not exist');
  expect(spokenError('error opening file `/run/status`: No such file or directory')).toBeUndefined();
});

test('the last error of a log in JSON counts, in crun’s form and in runc’s', () => {
  const [first, last] = ['first', 'last'].map((msg) => ({ level: 'error', msg }));
  for (const indent of [0, 2])
    expect(lastLoggedError(`${JSON.stringify(first, null, indent)}\n${JSON.stringify(last, null, indent)}\n`)).toBe('last');
  expect(lastLoggedError('')).toBeUndefined();
});

test.each([
  ['executable file `x` not found in $PATH: No such file or directory', 'COMMAND_NOT_FOUND', 127],
  ['open `/x`: Permission denied', 'COMMAND_NOT_EXECUTABLE', 126],
  ['something else', 'HELPER_FAILED', 126],
])('%s is %s', (said, code, exitCode) => {
  expect(runtimeError('runc', said)).toMatchObject({ code, exitCode, message: expect.stringContaining(`runc: ${said}`) });
});
