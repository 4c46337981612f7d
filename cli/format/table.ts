/**
 * Podman's tables: cells ended by tabs, columns aligned as Go's text/tabwriter does (minimal width 12, padding 2, spaces).
 * The last cell of a line belongs to no column. A column is a run of neighbouring lines that have such a cell, so one line without tabs
 * ends all columns.
 */

const MIN_WIDTH = 12;
const PADDING = 2;

/** Text with tabs to aligned text. Linear in its length; widths count code points. */
export function alignColumns(text: string): string {
  const lines = text.split('\n').map((line) => line.split('\t'));
  const columns = lines.map((): Column[] => []);
  for (const [row, cells] of lines.entries()) {
    for (let place = 0; place < cells.length - 1; place++) {
      const column = columns[row - 1]?.[place] ?? { width: MIN_WIDTH };
      column.width = Math.max(column.width, countCharacters(cells[place]!) + PADDING);
      columns[row]!.push(column);
    }
  }
  return lines.map((cells, row) => cells.map((cell, place) => padTo(cell, columns[row]![place]?.width)).join('')).join('\n');
}

/** Rows of cells as a table; each line ends with a newline. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  return alignColumns(rows.map((cells) => `${cells.join('\t')}\n`).join(''));
}

interface Column {
  width: number;
}

function padTo(cell: string, width: number | undefined): string {
  return width === undefined ? cell : cell + ' '.repeat(width - countCharacters(cell));
}

const PAIR = /[\ud800-\udbff]/;

function countCharacters(text: string): number {
  return PAIR.test(text) ? [...text].length : text.length;
}
