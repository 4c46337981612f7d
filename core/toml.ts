/** TOML, for the configuration files of the containers projects. The parser is loaded when a file has something to parse. Throws the parser's errors. */
export async function parseToml(text: string): Promise<Record<string, unknown>> {
  const lines = withoutComments(text).split('\n');
  if (lines.every((line) => line.trim() === '' || /^\[[\w.]+\]$/.test(line.trim()))) return {};
  const { parse } = await import('smol-toml');
  return parse(lines.join('\n'));
}

/** The files that distributions install are hundreds of lines of comment, which take the parser 5 ms. Line numbers in errors stay right. */
function withoutComments(text: string): string {
  return /"""|'''/.test(text) ? text : text.replace(/^[ \t]*#.*$/gm, '');
}
