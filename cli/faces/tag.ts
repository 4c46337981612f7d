import { atLeast } from '../arguments.ts';
import { defineFace } from '../command.ts';

export const tagFace = defineFace({
  usage: 'IMAGE TARGET_NAME [TARGET_NAME...]',
  summary: 'Give an image another name',
  examples: ['tag 0e3bbc2 fedora:latest', 'tag httpd myregistryhost:5000/fedora/httpd:v2'],
  flags: {},
  args: atLeast(2),
  complete: ['image'],
});
