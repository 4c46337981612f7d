/** YAML as Podman prints it (info): keys sorted, lists not indented, strings quoted only where they would be read as something else. */

/** Plain data: objects, arrays, strings, numbers, booleans, null. No newline at the end. */
export function encodeYaml(value: unknown): string {
  return lines(value).join('\n');
}

function lines(value: unknown): string[] {
  if (Array.isArray(value) && value.length > 0) return value.flatMap((item) => indentRest('- ', lines(item)));
  if (!isMapping(value)) return scalarLines(value);
  const members = Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  return members.length === 0 ? [scalar(value)] : members.flatMap(([key, item]) => member(scalar(key), item));
}

function member(key: string, value: unknown): string[] {
  if (isMapping(value) && Object.keys(value).length > 0) return [`${key}:`, ...lines(value).map((line) => `  ${line}`)];
  if (Array.isArray(value) && value.length > 0) return [`${key}:`, ...lines(value)];
  const [first = '', ...rest] = lines(value);
  return [`${key}: ${first}`, ...rest.map((line) => (line === '' ? '' : `  ${line}`))];
}

function indentRest(mark: string, [first = '', ...rest]: readonly string[]): string[] {
  return [mark + first, ...rest.map((line) => (line === '' ? '' : `  ${line}`))];
}

/** Text of several lines is a literal block; `-` says that it does not end with a newline. */
function scalarLines(value: unknown): string[] {
  if (typeof value !== 'string' || !value.includes('\n') || !isLiteral(value)) return [scalar(value)];
  const ends = value.endsWith('\n');
  return [ends ? '|' : '|-', ...(ends ? value.slice(0, -1) : value).split('\n')];
}

function isLiteral(text: string): boolean {
  return !/^[\s]|\n\n$|[^\n\x20-\x7e\u00a0-\ud7ff\ue000-\ufffd]/.test(text);
}

function scalar(value: unknown): string {
  if (Array.isArray(value)) return '[]';
  if (isMapping(value)) return '{}';
  if (typeof value !== 'string') return JSON.stringify(value ?? null);
  if (/[^\x20-\x7e\u00a0-\ud7ff\ue000-\ufffd]/.test(value)) return JSON.stringify(value);
  if (RESOLVED.test(value)) return JSON.stringify(value);
  return MARKED.test(value) ? `'${value.replaceAll("'", "''")}'` : value;
}

/** Empty, or read as null, a boolean, a number or a time. */
const RESOLVED =
  /^$|^(?:~|null|true|false|yes|no|on|off|y|n)$|^[-+]?(?:\d[\d_]*(?:\.[\d_]*)?(?:e[-+]?\d+)?|\.[\d_]+(?:e[-+]?\d+)?|0x[\da-f]+|0o?[0-7]+|\.inf|\.nan)$|^\d{4}-\d\d?-\d\d?(?:[Tt ].*)?$/i;
/** Characters that mean something at the start, or in the middle. */
const MARKED = /^[-?:](?:\s|$)|^[,[\]{}#&*!|>'"%@`]|^\s|\s$|:\s|:$|\s#/;

function isMapping(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
