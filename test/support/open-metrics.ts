// Reads the text that Prometheus is given: one sample a line, `name{label="…"} value`, with an exemplar behind it where
// there is one. https://prometheus.io/docs/specs/om/open_metrics_spec/

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  readonly exemplar: Readonly<Record<string, string>>;
}

const samplePattern = /^(?<name>\w+)(?:\{(?<labels>.*?)\})? (?<value>\S+)(?: # \{(?<exemplar>.*?)\}.*)?$/;
const labelPattern = /(?<label>\w+)="(?<value>(?:[^"\\]|\\.)*)"/g;

export function samplesIn(text: string): Sample[] {
  return text.split('\n').flatMap(line => {
    const { name, labels, value, exemplar } = samplePattern.exec(line)?.groups ?? {};
    if (name === undefined) return [];
    return [{ name, labels: labelsIn(labels), value: Number(value), exemplar: labelsIn(exemplar) }];
  });
}

function labelsIn(text = ''): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(labelPattern)].map(({ groups }) => [groups?.label, groups?.value]),
  );
}
