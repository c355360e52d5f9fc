/** What the HTTP layer itself refuses, before an engine is asked: no route, no token, too large a body. */
export class HttpRefusal extends Error {
  readonly status: number;
  /** Machine code in the answer's `error`. */
  readonly error: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    error: string,
    message: string,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
    this.name = 'HttpRefusal';
    this.status = status;
    this.error = error;
    this.headers = headers;
  }
}
