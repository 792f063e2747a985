-- Spans that have nothing to tell but their times stand in the row of the span around them: half of the rows less.
-- Each is [id, name, milliseconds from the start of the row's span, milliseconds that it took, whether it failed].

alter table journal add column inner_spans jsonb;
