-- Of what kind (its class) the failure in `error` is, so that it can be told apart also by whoever comes after its notice.
ALTER TABLE inbox ADD COLUMN failure TEXT;
