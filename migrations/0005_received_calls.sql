-- What the built-in receiver got is removed by age in small steps.
CREATE INDEX received_calls_by_age ON received_calls (at);
