// A stand-in for the Collector that takes OTLP over HTTP in JSON, refuses it, or keeps everybody waiting.
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Collector extends AsyncDisposable {
  /** What would stand in OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly url: string;
  /** Exports that have come, answered or not. */
  readonly exports: number;
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

  function reply(response: ServerResponse, body: string): void {
    if (status === 200) spanIds.push(...spanIdsIn(body));
    response.writeHead(Number(status), { 'content-type': 'application/json' }).end('{}');
  }

  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk;
    exports += 1;
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
