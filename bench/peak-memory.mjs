// `node --import ./bench/peak-memory.mjs ...`: at its end, the process writes its largest resident memory, in KiB, into
// the file that EBIOBERT_PEAK_FILE names.
import { writeFileSync } from 'node:fs';

process.on('exit', () => {
  const file = process.env['EBIOBERT_PEAK_FILE'];
  if (file !== undefined) writeFileSync(file, String(process.resourceUsage().maxRSS));
});
