import { testRows } from './matrix.ts';

testRows(0, 2);
