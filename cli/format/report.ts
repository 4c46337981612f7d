/**
 * How a list becomes text under `--format`: a default table, `table …`, a template per row, or JSON. Podman's rules (containers/common pkg/report):
 * `table ` turns the spaces of the format into tabs and prints headers; otherwise the template is run for each row, a newline after each.
 * `\t` and `\n` are read as tab and newline if the template parses so, and kept as typed if not.
 * A default table is printed without the template engine.
 */
import type { Template } from './template/template.ts';
import type { GoStruct } from './template/value.ts';
import { alignColumns, formatTable } from './table.ts';

/** What a list can show of one kind of row. */
export interface View<Row> {
  /** What errors call the template. */
  readonly name: string;
  /** Field → column heading. A field without one prints `<no value>` there, as Podman does. */
  readonly headers: Readonly<Record<string, string>>;
  /** The fields a default table may have, by name. */
  readonly cells: Readonly<Record<string, (row: Row) => string>>;
  /** The row as templates see it. */
  readonly data: (row: Row) => GoStruct;
}

export interface ReportOptions {
  /** Absent: a table of `columns`. */
  readonly format?: string;
  /** Names of fields. */
  readonly columns: readonly string[];
  readonly heading: boolean;
}

/** The whole output, with its last newline. Throws INVALID_TEMPLATE. */
export async function formatReport<Row>(view: View<Row>, rows: readonly Row[], options: ReportOptions): Promise<string> {
  if (options.format === undefined) return defaultTable(view, rows, options);
  const isTable = options.format.startsWith(TABLE);
  const template = await compileFormat(view.name, options.format, eachRow);
  const heading = isTable && options.heading ? template.render([new Map(Object.entries(view.headers))]) : '';
  const body = heading + template.render(rows.map(view.data));
  return isTable ? alignColumns(body) : body;
}

/** A template for one object (info, version, an event): no range around it. Throws INVALID_TEMPLATE. */
export async function formatOne(name: string, format: string, data: unknown): Promise<string> {
  return (await compileFormat(name, format, (source) => source)).render(data);
}

/** A template for each of several objects (inspect), which takes `table ` to mean nothing. Throws INVALID_TEMPLATE. */
export async function formatEach(name: string, format: string, data: readonly unknown[]): Promise<string> {
  const source = format.startsWith(TABLE) ? format.slice(TABLE.length) : format;
  return (await compileFormat(name, source, eachRow)).render(data);
}

/** `json`, ` json `, `{{json}}`, `{{ json }}`: asks for JSON, not for a template. */
export function isJsonFormat(format: string): boolean {
  return /^\s*(?:json|\{\{\s*json\s*\}\})\s*$/.test(format);
}

const TABLE = 'table ';

function defaultTable<Row>(view: View<Row>, rows: readonly Row[], options: ReportOptions): string {
  const cells = options.columns.map((column) => view.cells[column]!);
  const body = rows.map((row) => cells.map((cell) => cell(row)));
  const heading = options.columns.map((column) => view.headers[column] ?? '');
  return formatTable(options.heading ? [heading, ...body] : body);
}

/** The user's own `{{range .}}`, anywhere in the format, is taken as one over the rows. */
const OWN_RANGE = /\{\{\s*range\s*\.\s*\}\}/;

function eachRow(source: string): string {
  return OWN_RANGE.test(source) ? source : inRange(source);
}

function inRange(source: string): string {
  return `{{range .}}${source}{{end -}}`;
}

async function compileFormat(name: string, format: string, wrap: (source: string) => string): Promise<Template> {
  const { compileTemplate } = await import('./template/template.ts');
  const isTable = format.startsWith(TABLE);
  const put = isTable ? inRange : wrap;
  const source = isTable ? format.slice(TABLE.length).replaceAll(' ', '\t') : format;
  const unescaped = source.replaceAll('\\t', '\t').replaceAll('\\n', '\n');
  try {
    return compileTemplate(name, put(unescaped.endsWith('\n') ? unescaped : `${unescaped}\n`));
  } catch {
    // The escapes were meant for the template: {{printf "a\tb"}}. If it is wrong in itself, this is the error to show.
    return compileTemplate(name, put(format));
  }
}
