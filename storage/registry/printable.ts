/** Text from a server, safe for a terminal and a log line: control characters (escape sequences, newlines) become spaces, the rest is cut. */
export function printable(text: string, limit = 500): string {
  // oxlint-disable-next-line no-control-regex -- these are the very characters that have to go
  const clean = text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g, ' ').trim();
  return clean.length > limit ? `${clean.slice(0, limit)}…` : clean;
}
