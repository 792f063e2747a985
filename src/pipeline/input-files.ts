// What the pipeline needs of the messenger to pass a user's files on.

/** The caller disposes of it. */
export interface InputFile extends AsyncDisposable {
  /** Lies on the disk. */
  readonly content: Blob;
  readonly mimeType: string;
}

export interface InputFiles {
  /**
   * Fetches a file that a user sent. Rejects with an AppError: INPUT_FILE_GONE and INPUT_FILE_TOO_BIG for good,
   * INPUT_FILE_UNREACHABLE where it may be had later, SPOOL_FAILED where the disk of this machine does not take it.
   */
  open(fileId: string): Promise<InputFile>;
}
