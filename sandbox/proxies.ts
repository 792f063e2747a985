// One proxy before each thing that a program is led to by its environment, so that each can be broken by itself.
import { startHttpProxy, startPostgresProxy, type TcpProxy } from './tcp-proxy.ts';

export interface Proxies extends AsyncDisposable {
  readonly postgres: TcpProxy;
  /** The Bot API and its files. */
  readonly telegram: TcpProxy;
  /** KIE.ai's API. */
  readonly kie: TcpProxy;
  /** Where KIE.ai takes input files. */
  readonly upload: TcpProxy;
  /** The given environment, led through the proxies. */
  readonly environment: Readonly<Record<string, string>>;
}

/** What leads a program to Postgres and to its suppliers. */
interface Destinations {
  readonly DATABASE_URL?: string;
  readonly TELEGRAM_API_ROOT?: string;
  readonly KIE_API_URL?: string;
  readonly KIE_UPLOAD_URL?: string;
}

/** Each instance of a bot can have proxies of its own: then one of them can be cut off while the others go on. */
export async function startProxies(
  environment: Readonly<Record<string, string>> & Destinations,
): Promise<Proxies> {
  await using stack = new AsyncDisposableStack();
  const postgres = stack.use(await startPostgresProxy(environment.DATABASE_URL ?? ''));
  const telegram = stack.use(await startHttpProxy(environment.TELEGRAM_API_ROOT ?? ''));
  const kie = stack.use(await startHttpProxy(environment.KIE_API_URL ?? ''));
  const upload = stack.use(await startHttpProxy(environment.KIE_UPLOAD_URL ?? ''));
  const owned = stack.move();
  return {
    postgres,
    telegram,
    kie,
    upload,
    environment: {
      ...environment,
      DATABASE_URL: postgres.url,
      TELEGRAM_API_ROOT: telegram.url,
      KIE_API_URL: kie.url,
      KIE_UPLOAD_URL: upload.url,
    },
    [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
  };
}
