"""What a kind of problem is, one folder each; `lsr_core.problems.kinds` has the list, docs/architecture.md the plan of a folder."""
