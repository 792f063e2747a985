// What was uploaded to the KIE stand-in, in memory: a file with the same path replaces the one before, and the
// oldest are forgotten when they are too much together, as KIE forgets them after a day.

export interface KieUpload {
  /** `uploadPath/fileName`. */
  readonly filePath: string;
  readonly fileName: string;
  readonly mimeType: string;
  readonly bytes: Buffer;
}

export interface UploadStore {
  add(upload: KieUpload): void;
  find(filePath: string): KieUpload | undefined;
  /** From the oldest to the newest. */
  all(): readonly KieUpload[];
}

/** `limitBytes` is for all files together. */
export function createUploadStore(limitBytes: number): UploadStore {
  const uploads = new Map<string, KieUpload>();
  return {
    add(upload) {
      uploads.delete(upload.filePath);
      uploads.set(upload.filePath, upload);
      let total = [...uploads.values()].reduce((sum, { bytes }) => sum + bytes.length, 0);
      for (const [filePath, { bytes }] of uploads) {
        if (total <= limitBytes) break;
        uploads.delete(filePath);
        total -= bytes.length;
      }
    },
    find: filePath => uploads.get(filePath),
    all: () => [...uploads.values()],
  };
}
