// Sends a file by tus-js-client and tells every piece on a line; argument: the options in JSON.
//
// With `until`, it ends after so many bytes and keeps in `memory` what a later run needs to go on.
import { createReadStream, statSync } from "node:fs";
import { basename } from "node:path";
import { FileUrlStorage, Upload } from "tus-js-client";

const { endpoint, headers, file, piece, memory, until } = JSON.parse(process.argv[2]);
const tell = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);

const upload = new Upload(createReadStream(file), {
  endpoint,
  headers,
  chunkSize: piece,
  uploadSize: statSync(file).size,
  metadata: { filename: basename(file) },
  retryDelays: [0, 200, 500, 1000, 2000, 3000, 3000, 3000, 3000, 3000, 3000],
  urlStorage: new FileUrlStorage(memory),
  fingerprint: async () => file,
  onChunkComplete: (_, accepted) => {
    tell({ accepted });
    if (until && accepted >= until) upload.abort().then(() => process.exit(0));
  },
  onShouldRetry: (fault) => {
    tell({ retried: fault.originalResponse ? fault.originalResponse.getStatus() : 0 });
    return true;
  },
  onSuccess: () => tell({ url: upload.url }),
  onError: (fault) => {
    tell({ fault: String(fault) });
    process.exit(1);
  },
});
const [previous] = await upload.findPreviousUploads();
if (previous) upload.resumeFromPreviousUpload(previous);
upload.start();
