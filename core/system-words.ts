/** The words of an error of Node's own for a failed system call: `no such file or directory` out of `ENOENT: …, open '/x'`. */
export function systemWords(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/^E[A-Z0-9]+: /, '').replace(/, [a-z]+(?: '.*')?$/s, '');
}
