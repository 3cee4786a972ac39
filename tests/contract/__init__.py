"""What users build on, as a list that changes only on purpose: public names, options, keys of `--json`, formats of files."""
