-- Bindings made by /route, beside those of config.yaml. `literal`: the pattern is a source as it is spelled.
CREATE TABLE bindings (
    pattern  TEXT NOT NULL,
    literal  INTEGER NOT NULL,
    agent_id TEXT NOT NULL,
    made_at  INTEGER NOT NULL,
    PRIMARY KEY (pattern, literal)
) STRICT, WITHOUT ROWID;
