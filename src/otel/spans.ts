// The closed list of spans: the names under which `inSpan` may be called, with the attributes that each can have
// besides the fields of the vocabulary and `cid`, which is on all of them. A name with a part in braces stands for all
// that begin alike. docs/telemetry.md is generated from here.

interface SpanDefinition {
  readonly kind: 'SERVER' | 'CONSUMER' | 'CLIENT' | 'INTERNAL';
  readonly doc: string;
  readonly attributes: readonly string[];
  /** Opened by an instrumentation, not by `inSpan`. */
  readonly foreign?: true;
}

const define = <const S extends Record<string, SpanDefinition>>(definitions: S): Readonly<S> => definitions;

export const spans = define({
  'update {event_type}': {
    kind: 'SERVER',
    doc: 'The root: an update from its receipt until it is stored. CONSUMER when polling.',
    attributes: [
      'event_type',
      'update_id',
      'user_hash',
      'chat_hash',
      'http.request.method',
      'http.route',
      'bot_state',
      'result',
      'reason_code',
    ],
  },
  'update again': {
    kind: 'INTERNAL',
    doc: 'An update has come again of whose storing the instance had not heard: its user is served as after the first.',
    attributes: ['event_type', 'update_id', 'user_hash', 'chat_hash', 'result', 'reason_code'],
  },
  'dispatch update': {
    kind: 'CONSUMER',
    doc: 'The work of an update, from the pick to its outcome.',
    attributes: [
      'event_type',
      'update_id',
      'user_hash',
      'chat_hash',
      'bot_state',
      'attempt',
      'flow_id',
      'step_id',
      'screen_id',
      'button_id',
      'action_id',
      'handler',
      'result',
      'reason_code',
      'messaging.operation.type',
    ],
  },
  'follow up {kind}': {
    kind: 'CONSUMER',
    doc: 'What an update has left to be done is done, once its outcome is committed.',
    attributes: ['event_type', 'user_hash', 'chat_hash', 'bot_state', 'attempt'],
  },
  'answer waiting tap': {
    kind: 'INTERNAL',
    doc: 'The spinner of a tap is ended that nobody has picked, or whose instance is frozen.',
    attributes: ['event_type', 'update_id', 'user_hash', 'chat_hash'],
  },
  'answer refused update': {
    kind: 'INTERNAL',
    doc: 'The user is answered that too many of their updates wait for this one to be taken.',
    attributes: ['event_type', 'update_id', 'user_hash', 'chat_hash', 'reason_code'],
  },
  'passive notice': {
    kind: 'INTERNAL',
    doc: 'The user is notified that nobody works updates now.',
    attributes: [],
  },
  'answer checkout': {
    kind: 'INTERNAL',
    doc: 'Telegram’s question whether a payment may be taken is answered.',
    attributes: [],
  },
  'task submit': {
    kind: 'CONSUMER',
    doc: 'A confirmed generation is ordered from KIE.ai.',
    attributes: ['event_type', 'task_id', 'model_id', 'model_version', 'bot_state'],
  },
  'task poll': {
    kind: 'CONSUMER',
    doc: 'KIE.ai is asked how a generation is going.',
    attributes: ['event_type', 'task_id', 'model_id', 'model_version', 'bot_state'],
  },
  'task deliver': {
    kind: 'CONSUMER',
    doc: 'What a generation that has ended still owes is looked for.',
    attributes: ['event_type', 'task_id', 'model_id', 'model_version', 'bot_state'],
  },
  'deliver result': {
    kind: 'INTERNAL',
    doc: 'One delivery: files or a notice. CONSUMER where a later tap asked for it, whose trace it joins.',
    attributes: ['event_type', 'task_id', 'model_id', 'model_version', 'bot_state', 'screen_id'],
  },
  'kie callback': {
    kind: 'SERVER',
    doc: 'News of KIE.ai about a generation is stored.',
    attributes: ['event_type', 'task_id', 'model_id', 'model_version'],
  },
  'kie {operation}': {
    kind: 'CLIENT',
    doc: 'A call to KIE.ai with all its tries.',
    attributes: [
      'http.request.method',
      'server.address',
      'url.path',
      'kie.api',
      'http.response.status_code',
      'kie.code',
      'http.request.resend_count',
    ],
  },
  'telegram download': {
    kind: 'CLIENT',
    doc: 'A file that a user has sent is fetched from Telegram.',
    attributes: [],
  },
  'telegram {method}': {
    kind: 'CLIENT',
    doc: 'One attempt of a call to the Bot API.',
    attributes: ['rpc.system.name', 'rpc.method', 'rpc.response.status_code', 'telegram.description'],
  },
  'pg.query:{statement}': {
    kind: 'CLIENT',
    doc: 'A query, where it belongs to an update or a task.',
    attributes: [],
    foreign: true,
  },
});

/** What every failed span has. */
export const failureAttributes = ['error.type'] as const;

type Expanded<N extends string> = N extends `${infer Start}{${string}}${infer End}`
  ? `${Start}${string}${End}`
  : N;
type Own = {
  [N in keyof typeof spans]: (typeof spans)[N] extends { foreign: true } ? never : N;
}[keyof typeof spans];

/** What `inSpan` takes. */
export type SpanName = Expanded<Own>;
