import { EngineError } from './errors.ts';

/**
 * One record of CSV as Go's encoding/csv reads it: commas separate, `"` quotes a whole field, `""` inside stands for one quote.
 * An empty text is no field at all (pflag's string slices). Throws INVALID_ARGUMENT with Go's words.
 */
export function parseCsvLine(text: string): string[] {
  if (text === '') return [];
  const fields: string[] = [];
  let at = 0;
  for (;;) {
    const [field, end] = text[at] === '"' ? quotedField(text, at) : plainField(text, at);
    fields.push(field);
    if (end >= text.length) return fields;
    at = end + 1;
  }
}

function plainField(text: string, start: number): [field: string, end: number] {
  const comma = text.indexOf(',', start);
  const end = comma < 0 ? text.length : comma;
  const field = text.slice(start, end);
  const quote = field.indexOf('"');
  if (quote >= 0) throw csvError(start + quote + 1, 'bare " in non-quoted-field');
  return [field, end];
}

function quotedField(text: string, start: number): [field: string, end: number] {
  let field = '';
  let at = start + 1;
  for (;;) {
    const quote = text.indexOf('"', at);
    if (quote < 0) throw csvError(text.length + 1, 'extraneous or missing " in quoted-field');
    field += text.slice(at, quote);
    const next = text[quote + 1];
    if (next === undefined || next === ',') return [field, quote + 1];
    if (next !== '"') throw csvError(quote + 1, 'extraneous or missing " in quoted-field');
    field += '"';
    at = quote + 2;
  }
}

function csvError(column: number, problem: string): EngineError {
  return new EngineError('INVALID_ARGUMENT', `parse error on line 1, column ${column}: ${problem}`);
}
