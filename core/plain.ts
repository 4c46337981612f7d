/**
 * Text that strangers had a part in, for a terminal: whatever could move the cursor, colour, or turn the line around is shown as an escape.
 * Line feeds and tabs stay.
 */
export function plainText(text: string): string {
  return text.replace(
    // oxlint-disable-next-line no-control-regex -- these are the very characters that have to go
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
