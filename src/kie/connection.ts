// The HTTP connections to KIE.ai. Beyond what undici promises, a failure before the connection is established (DNS,
// refused, TLS, connect timeout) has an error of its own, because only then is it certain that KIE executed nothing.
// They use HTTP/1.1 only, because one request on one socket keeps that distinction true.
import { Agent, buildConnector, type Dispatcher } from 'undici';

/** The connection was never established; nothing of the request was sent. */
export class ConnectFailure extends Error {
  constructor(cause: Error) {
    super('The connection could not be established', { cause });
    this.name = 'ConnectFailure';
  }
}

/** The caller did not want it sent any more, for this reason; nothing of the request was. */
export class Withheld extends Error {
  constructor(cause: unknown) {
    super('The request was not sent', { cause });
    this.name = 'Withheld';
  }
}

/**
 * Asks when the connection stands, right before the request goes out: a process may have been frozen since it was made.
 * What `assertMayBeSent` throws becomes a Withheld.
 */
export function askedBeforeSending(connections: Dispatcher, assertMayBeSent: () => void): Dispatcher {
  return connections.compose(
    dispatch => (options, handler) =>
      dispatch(
        options,
        Object.create(handler, {
          onRequestStart: {
            value(controller: Dispatcher.DispatchController, context: unknown) {
              try {
                assertMayBeSent();
              } catch (error) {
                return controller.abort(new Withheld(error));
              }
              return handler.onRequestStart?.(controller, context);
            },
          },
        }),
      ),
  );
}

export interface ConnectionOptions {
  /** Must be shorter than the deadline of a call: when that passes, nobody knows how far the call had come. */
  readonly connectTimeoutMs: number;
  /**
   * False opens a fresh connection for each request. An idle one may be closed by the other side just as
   * it is used again, and a billable order would be left without a known outcome.
   */
  readonly keepAlive: boolean;
}

const maximumAnswerBytes = 1024 * 1024;

/** The caller closes it. */
export function createConnections(options: ConnectionOptions): Agent {
  const connect = buildConnector({ allowH2: false, timeout: options.connectTimeoutMs });
  return new Agent({
    pipelining: options.keepAlive ? 1 : 0,
    maxResponseSize: maximumAnswerBytes,
    connect(target, callback) {
      connect(target, (...outcome) => {
        const [error] = outcome;
        if (error) callback(new ConnectFailure(error), null);
        else callback(...outcome);
      });
    },
  });
}
