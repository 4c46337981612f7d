/** What a file is, by its first bytes (WHATWG mimesniff, as Go's net/http does it). Pure. */

/** That many bytes are looked at. */
export const SNIFF_BYTES = 512;

/** `text/plain; charset=utf-8` for text of any kind, `application/octet-stream` for what nothing is known of. */
export function sniffType(head: Buffer): string {
  const bytes = head.subarray(0, SNIFF_BYTES);
  const text = bytes.toString('latin1');
  const trimmed = text.replace(/^[\t\n\f\r ]+/, '');
  if (TAGS.some((tag) => isTag(trimmed, tag))) return 'text/html; charset=utf-8';
  if (trimmed.startsWith('<?xml')) return 'text/xml; charset=utf-8';
  for (const [type, signature, offset = 0] of SIGNATURES) if (text.startsWith(signature, offset)) return type;
  for (const [type, container, kind] of CONTAINERS) {
    if (text.startsWith(container) && text.slice(8, 8 + kind.length) === kind) return type;
  }
  if (isMp4(bytes)) return 'video/mp4';
  return bytes.some(isBinary) ? 'application/octet-stream' : 'text/plain; charset=utf-8';
}

const TAGS = [
  '<!DOCTYPE HTML',
  '<HTML',
  '<HEAD',
  '<SCRIPT',
  '<IFRAME',
  '<H1',
  '<DIV',
  '<FONT',
  '<TABLE',
  '<A',
  '<STYLE',
  '<TITLE',
  '<B',
  '<BODY',
  '<BR',
  '<P',
  '<!--',
];

/** Type, bytes as Latin-1, offset. */
const SIGNATURES: readonly (readonly [string, string, number?])[] = [
  ['application/pdf', '%PDF-'],
  ['application/postscript', '%!PS-Adobe-'],
  ['text/plain; charset=utf-16be', '\xFE\xFF'],
  ['text/plain; charset=utf-16le', '\xFF\xFE'],
  ['text/plain; charset=utf-8', '\xEF\xBB\xBF'],
  ['image/x-icon', '\x00\x00\x01\x00'],
  ['image/x-icon', '\x00\x00\x02\x00'],
  ['image/bmp', 'BM'],
  ['image/gif', 'GIF87a'],
  ['image/gif', 'GIF89a'],
  ['image/png', '\x89PNG\x0D\x0A\x1A\x0A'],
  ['image/jpeg', '\xFF\xD8\xFF'],
  ['audio/mpeg', 'ID3'],
  ['application/ogg', 'OggS\x00'],
  ['audio/midi', 'MThd\x00\x00\x00\x06'],
  ['audio/basic', '.snd'],
  ['video/webm', '\x1A\x45\xDF\xA3'],
  ['application/vnd.ms-fontobject', 'LP', 34],
  ['font/ttf', '\x00\x01\x00\x00'],
  ['font/otf', 'OTTO'],
  ['font/collection', 'ttcf'],
  ['font/woff', 'wOFF'],
  ['font/woff2', 'wOF2'],
  ['application/x-gzip', '\x1F\x8B\x08'],
  ['application/zip', 'PK\x03\x04'],
  ['application/x-rar-compressed', 'Rar!\x1A\x07\x00'],
  ['application/x-rar-compressed', 'Rar!\x1A\x07\x01\x00'],
  ['application/wasm', '\x00asm'],
];

/** Type, and what stands at 0 and at 8. */
const CONTAINERS: readonly (readonly [string, string, string])[] = [
  ['image/webp', 'RIFF', 'WEBPVP'],
  ['audio/wave', 'RIFF', 'WAVE'],
  ['video/avi', 'RIFF', 'AVI '],
  ['audio/aiff', 'FORM', 'AIFF'],
];

function isTag(text: string, tag: string): boolean {
  const end = text[tag.length];
  return text.slice(0, tag.length).toUpperCase() === tag && (tag === '<!--' || end === ' ' || end === '>');
}

function isMp4(bytes: Buffer): boolean {
  if (bytes.length < 12 || bytes.toString('latin1', 4, 8) !== 'ftyp') return false;
  const boxSize = Math.min(bytes.readUInt32BE(0), bytes.length);
  if (boxSize % 4 !== 0) return false;
  for (let at = 8; at < boxSize; at += 4) if (at !== 12 && bytes.toString('latin1', at, at + 3) === 'mp4') return true;
  return false;
}

function isBinary(byte: number): boolean {
  return byte <= 0x08 || byte === 0x0b || (byte >= 0x0e && byte <= 0x1a) || (byte >= 0x1c && byte <= 0x1f);
}

/** By the file's name, for what Go's mime package knows without a system's table; undefined for others. */
export function typeByExtension(name: string): string | undefined {
  return EXTENSIONS[/\.[^./]+$/.exec(name.toLowerCase())?.[0] ?? ''];
}

const EXTENSIONS: Readonly<Record<string, string>> = {
  '.avif': 'image/avif',
  '.css': 'text/css',
  '.gif': 'image/gif',
  '.gz': 'application/gzip',
  '.htm': 'text/html',
  '.html': 'text/html',
  '.jpeg': 'image/jpeg',
  '.jpg': 'image/jpeg',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.mjs': 'text/javascript',
  '.pdf': 'application/pdf',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain',
  '.wasm': 'application/wasm',
  '.webp': 'image/webp',
  '.xml': 'text/xml',
  '.zip': 'application/zip',
};
