"""The page Bring your own: files, bundles and typed equations become problems of this browser."""
