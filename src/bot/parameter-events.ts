// The events of one value that a user has given to a form: that it came, and whether the form took it.
import type { Telemetry } from '../otel/telemetry.ts';
import type { ParameterInput, Rejected } from '../ui/outcome.ts';

export interface ParameterEvents {
  /** Nothing without a parameter: the outcome was about none. */
  emitAccepted(parameter: ParameterInput | undefined): void;
  /** `problem`: what is wrong with the value; `hint`: what the user reads about it. */
  emitRefused(
    parameter: Rejected['parameter'],
    why: { readonly hint: string; readonly problem: string | undefined },
  ): void;
}

export function createParameterEvents(telemetry: Pick<Telemetry, 'emit' | 'scrub'>): ParameterEvents {
  function emitInput({ name, value, source, allowedText }: ParameterInput): void {
    // Also a text that the user allows may quote a secret, which nobody can allow.
    const shown = allowedText === undefined ? value : telemetry.scrub(allowedText);
    telemetry.emit('PARAM_INPUT', { param_name: name, value: shown, source });
  }

  return {
    emitAccepted(parameter) {
      if (!parameter) return;
      emitInput(parameter);
      telemetry.emit('PARAM_ACCEPTED', { param_name: parameter.name, value: parameter.value });
    },
    emitRefused(parameter, { hint, problem }) {
      if (!parameter) return;
      emitInput(parameter);
      telemetry.emit('PARAM_VALIDATION_FAILED', {
        param_name: parameter.name,
        value: parameter.value,
        reason_code: 'VALIDATION_FAILED',
        reason_detail: problem,
        detail_code: parameter.problem,
        hint_to_user: hint,
        allowed: parameter.allowed,
      });
    },
  };
}
