// Owns the shape of a method of the Bot API: arguments in, the documented result out, refusals thrown as ApiError.
// The result types are those of grammY, so a method that answers something else does not compile.
import type { ApiMethods } from 'grammy/types';
import type { Parameters } from '../parameters.ts';

export type MethodName = keyof ApiMethods;

/** What a method may know of the request that called it. */
export interface CallScope {
  /** `listener` is called when the client goes away before it was answered. */
  onDisconnect(listener: () => void): void;
}

export type MethodHandler<M extends MethodName> = (
  parameters: Parameters,
  scope: CallScope,
) => ReturnType<ApiMethods[M]> | Promise<ReturnType<ApiMethods[M]>>;

/** Some of the methods. */
export type MethodGroup = { readonly [M in MethodName]?: MethodHandler<M> };
