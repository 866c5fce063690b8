"""The suite. Names of tests are sentences of the contract."""
