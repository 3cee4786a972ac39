"""Words: what is said on pages, and numbers and names as a person reads them."""
