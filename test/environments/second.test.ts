import { testRows } from './matrix.ts';

testRows(1, 2);
