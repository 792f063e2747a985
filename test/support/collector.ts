// A stand-in for the Collector that takes traces as OTLP over HTTP in JSON, refuses them, or keeps everybody waiting.
// Metrics get the same answer and are not looked at.
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Collector extends AsyncDisposable {
  /** What would stand in OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly url: string;
  /** Exports of traces that have come, answered or not. */
  readonly exports: number;
  /** Exports of metrics that have come, answered or not. */
  readonly metricExports: number;
  /** Exports that wait for their answer. */
  readonly waiting: number;
  /** The ids of all spans that were taken, one for each time. */
  readonly spanIds: readonly string[];
  /** From now on it takes everything, also what waits. */
  recover(): void;
}

/** `answer`: a status, or none for as long as it has not recovered. */
export async function startCollector(answer: number | 'none'): Promise<Collector> {
  const spanIds: string[] = [];
  let held: (() => void)[] = [];
  let status = answer;
  let exports = 0;
  let metricExports = 0;

  function reply(response: ServerResponse, body: string | undefined): void {
    if (status === 200 && body !== undefined) spanIds.push(...spanIdsIn(body));
    response.writeHead(Number(status), { 'content-type': 'application/json' }).end('{}');
  }

  const server = createServer(async (request, response) => {
    const isTraces = request.url === '/v1/traces';
    let text = '';
    for await (const chunk of request.setEncoding('utf8')) text += chunk;
    const body = isTraces ? text : undefined;
    if (isTraces) exports += 1;
    else metricExports += 1;
    if (status === 'none') held.push(() => reply(response, body));
    else reply(response, body);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  // SAFETY: a server that listens on a TCP port has such an address.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    spanIds,
    get exports() {
      return exports;
    },
    get metricExports() {
      return metricExports;
    },
    get waiting() {
      return held.length;
    },
    recover() {
      status = 200;
      for (const answerLate of held) answerLate();
      held = [];
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  };
}

/** https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding */
interface ExportRequest {
  readonly resourceSpans: readonly {
    readonly scopeSpans: readonly { readonly spans: readonly { readonly spanId: string }[] }[];
  }[];
}

function spanIdsIn(body: string): string[] {
  const { resourceSpans }: ExportRequest = JSON.parse(body);
  return resourceSpans
    .flatMap(({ scopeSpans }) => scopeSpans)
    .flatMap(({ spans }) => spans.map(({ spanId }) => spanId));
}
