"""How the package is built, as tests: arrows, sizes, names, documents, start-up."""
