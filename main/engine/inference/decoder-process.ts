/** Process entry: decodes photos for `createDecoder`. */
import sharp from 'sharp';
import { decodeImage } from './decode-image.ts';
import type { DecodeJob } from './decode-job.ts';
import { openProcessPort } from './process-port.ts';
import { serveRequests } from './worker-messages.ts';

// Several photos at once, one core each, beat one photo on several cores; nothing is decoded twice.
sharp.concurrency(1);
sharp.cache(false);
// Loaders that read more than pictures, or fetch what a file points at.
sharp.block({ operation: ['VipsForeignLoadSvg', 'VipsForeignLoadPdf', 'VipsForeignLoadMagick'] });

serveRequests(openProcessPort(), {
  decode: (job: DecodeJob) => decodeImage(job),
});
