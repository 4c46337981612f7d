/** All requirements, in the order in which they are tested. */
import { CONTAINER } from './container.ts';
import { DESCRIPTORS } from './descriptors.ts';
import { LIFECYCLE } from './lifecycle.ts';
import { ASKED_WRONGLY } from './operations.ts';
import { REFUSALS } from './refusals.ts';
import type { Requirement } from './requirement.ts';
import { NESTED, USER } from './user.ts';

export const REQUIREMENTS: readonly Requirement[] = [
  ...LIFECYCLE,
  ...ASKED_WRONGLY,
  ...CONTAINER,
  ...USER,
  ...NESTED,
  ...DESCRIPTORS,
  ...REFUSALS,
];
