/**
 * The file of `wisp serve --faults`: which requests are answered wrongly, and how.
 *
 *   {"faults": [{"on": "POST /v1/sprites", "kind": "rate-limited", "retry_after_seconds": 2},
 *               {"on": "WEBSOCKET /v1/sprites/demo/exec", "nth": 2, "kind": "drop", "after_bytes": 4096}]}
 *
 * A request belongs to the first rule that fits it and is not used up. Each rule counts the requests that came as
 * far as it, so that rules for the same call are a script: the first request meets the first rule, and so on.
 */
import { z } from 'zod';

const HTTP_METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'HEAD'] as const;

/** What a WebSocket's handshake is called here, so that `GET …/exec` means the list of sessions alone. */
export const WEBSOCKET = 'WEBSOCKET';

const MAX_DELAY_MS = 600_000;
const delayMs = z.int().min(0).max(MAX_DELAY_MS);
const seconds = z.number().min(0).max(86_400);
const count = z.int().min(0);
const errorStatus = z.int().min(400).max(599);

const common = {
  on: z
    .string()
    .regex(
      new RegExp(`^(${[...HTTP_METHODS, WEBSOCKET].join('|')}) /\\S*$`),
      `it is not a method and path such as "POST /v1/sprites" or "${WEBSOCKET} /v1/sprites/*/exec"`,
    )
    .refine(hasNoQuery, 'a path has no "?": rules match the path alone')
    .refine(hasPlainStars, '"*" stands for one whole segment, "**" for the rest of the path, at its end'),
  nth: z.int().min(1).default(1),
  times: z.union([z.int().min(1), z.literal('always')], 'it is neither a count nor "always"').default(1),
  /** Only while the sprite named in the path is in this state. */
  state: z.enum(['cold', 'warm', 'running']).optional(),
};

const rateLimited = z.strictObject({
  ...common,
  kind: z.literal('rate-limited'),
  code: z.string().min(1).default('sprite_creation_rate_limited'),
  /** In the body and as `Retry-After`; null: neither. */
  retry_after_seconds: seconds.nullable().default(1),
  limit: count.default(10),
  window_seconds: count.default(60),
  current_count: count.optional(),
});
const error = z.strictObject({
  ...common,
  kind: z.literal('error'),
  status: errorStatus.default(503),
  retry_after_seconds: seconds.optional(),
  /** A text is sent as it is, anything else as JSON. */
  body: z.unknown().optional(),
});
const doneButError = z.strictObject({
  ...common,
  kind: z.literal('done-but-error'),
  status: errorStatus.default(500),
  body: z.unknown().optional(),
});
const notDone = z.strictObject({
  ...common,
  kind: z.literal('not-done'),
  status: z.int().min(200).max(299).default(204),
  body: z.unknown().optional(),
});
const hang = z.strictObject({ ...common, kind: z.literal('hang'), delay_ms: delayMs.optional() });
const malformed = z.strictObject({ ...common, kind: z.literal('malformed'), text: z.string().optional() });
const drop = z.strictObject({ ...common, kind: z.literal('drop'), after_bytes: count });
const noExit = z.strictObject({
  ...common,
  kind: z.literal('no-exit'),
  /** Null: the connection goes without a close frame. */
  close_code: z
    .union([z.int().min(1000).max(1014), z.int().min(3000).max(4999)])
    .nullable()
    .default(1000),
});
const lateClose = z.strictObject({
  ...common,
  kind: z.literal('late-close'),
  delay_ms: delayMs,
  /** False: a client that closes first waits for the answer just as long. */
  answers_close: z.boolean().default(true),
});

const KINDS = [rateLimited, error, doneButError, notDone, hang, malformed, drop, noExit, lateClose] as const;

export const FaultRule = z
  .discriminatedUnion('kind', KINDS, {
    error: `it is none of ${KINDS.map(({ shape }) => `"${shape.kind.value}"`).join(', ')}`,
  })
  .superRefine((rule, { addIssue }) => {
    const isSocket = rule.on.startsWith(`${WEBSOCKET} `);
    const message = misplaced(rule.kind, isSocket);
    if (message !== null) addIssue({ code: 'custom', path: ['kind'], message });
  });
export type FaultRule = z.output<typeof FaultRule>;
export type FaultOf<K extends FaultRule['kind']> = Extract<FaultRule, { kind: K }>;

export const FaultFile = z.strictObject({ faults: z.array(FaultRule).min(1, 'it names no fault') });

function misplaced(kind: FaultRule['kind'], isSocket: boolean): string | null {
  if (isSocket && kind === 'not-done') return "a WebSocket can't be answered without being opened";
  if (isSocket || (kind !== 'no-exit' && kind !== 'late-close')) return null;
  return `only a WebSocket can do this: "on": "${WEBSOCKET} …"`;
}

function hasNoQuery(on: string): boolean {
  return !on.includes('?');
}

function hasPlainStars(on: string): boolean {
  const segments = on.split('/').slice(1);
  return segments.every(
    (segment, index) =>
      !segment.includes('*') || segment === '*' || (segment === '**' && index === segments.length - 1),
  );
}
