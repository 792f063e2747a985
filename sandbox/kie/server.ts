// The HTTP server of the KIE stand-in: one loopback port for the API, the uploads and the files. Endpoints of
// the API need the key; files do not.
import fastify, { type FastifyError, type FastifyInstance } from 'fastify';
import { refusal, success } from './answers.ts';
import { addGenerationRoutes, type GenerationOptions } from './generation-routes.ts';
import { addResultRoutes, type ResultRouteOptions } from './result-routes.ts';
import { addUploadedFiles, addUploadRoutes, type UploadOptions } from './upload-routes.ts';

export interface ServerOptions {
  readonly apiKey: string;
  readonly credits: () => number;
  readonly generation: GenerationOptions;
  readonly results: ResultRouteOptions;
  readonly uploads: UploadOptions;
}

/** The server does not listen yet. */
export function createKieServer(options: ServerOptions): FastifyInstance {
  const server = fastify({ forceCloseConnections: true });
  server.setNotFoundHandler((_request, reply) => reply.code(404).send(refusal(404, 'Not Found')));
  server.setErrorHandler<FastifyError>((error, _request, reply) =>
    // What has no status of its own is a mistake of the stand-in, not of its client.
    (error.statusCode ?? 500) < 500
      ? reply.code(400).send(refusal(400, 'The request body is not valid'))
      : reply.code(500).send(refusal(500, `The stand-in failed: ${error.message}`)),
  );
  server.register((api, _options, done) => {
    api.addHook('onRequest', async (request, reply) => {
      if (request.headers.authorization === `Bearer ${options.apiKey}`) return;
      return reply.send(refusal(401, 'You do not have access permissions'));
    });
    api.get('/api/v1/chat/credit', async () => success(options.credits()));
    addGenerationRoutes(api, options.generation);
    addUploadRoutes(api, options.uploads);
    done();
  });
  addResultRoutes(server, options.results);
  addUploadedFiles(server, options.uploads.uploads);
  return server;
}
