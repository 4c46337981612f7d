/** Print "N passed, N failed, N skipped" from vitest's JSON report; each failed check, and a run that broke down as a whole, counts as one failure. */
import { readFileSync } from 'node:fs';

interface Report {
  readonly success: boolean;
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
}

const [path = '', failedChecks = '0'] = process.argv.slice(2);
const report = readReport(path);
const failedTests = report.success ? report.numFailedTests : Math.max(1, report.numFailedTests);
const failed = failedTests + Number(failedChecks);
console.log(`${report.numPassedTests} passed, ${failed} failed, ${report.numPendingTests + report.numTodoTests} skipped`);
process.exitCode = failed === 0 ? 0 : 1;

/** A run that was killed writes no report. */
function readReport(file: string): Report {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Report;
  } catch {
    return { success: false, numPassedTests: 0, numFailedTests: 1, numPendingTests: 0, numTodoTests: 0 };
  }
}
