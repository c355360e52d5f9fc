/** How far a push, pull or landing is; for a line on the terminal. */
export interface SyncProgress {
  readonly phase: 'plan' | 'look' | 'history' | 'send' | 'fetch' | 'stage' | 'apply';
  readonly filesDone: number;
  /** Null while it is not known. */
  readonly filesTotal: number | null;
  readonly bytesDone: number;
  readonly bytesTotal: number | null;
}

export type OnSyncProgress = (progress: SyncProgress) => void;
